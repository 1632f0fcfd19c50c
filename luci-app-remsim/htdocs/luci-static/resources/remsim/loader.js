'use strict';
'require baseclass';
'require remsim.manifest as manifest';

/* Where the modules are that the service's own pages have too, their styles, and Chart.js. */
const at = name => new URL(L.resource(`${manifest.base}/${name}`), location.href).href;

/* Names, and all that they import. */
function reached(names) {
	const found = new Set();

	for (const waiting = [...names]; waiting.length;) {
		const name = waiting.pop();

		if (!found.has(name))
			waiting.push(...manifest.imports[name] ?? []);

		found.add(name);
	}

	return found;
}

function ask(url, attributes) {
	if (![...document.head.querySelectorAll('link[rel$=preload]')].some(link => link.href === url))
		document.head.append(E('link', { 'href': url, ...attributes }));
}

return baseclass.extend({
	url: at,

	/* Ask for modules and all that they import at once; a browser alone asks for imports when it has read who imports. */
	preload(names, hasCharts) {
		for (const name of reached(names))
			ask(at(`app/${name}.js`), { 'rel': 'modulepreload' });

		if (hasCharts)
			ask(at('vendor/chart.umd.js'), { 'rel': 'preload', 'as': 'script' });
	},

	/* A module; the same one for all who ask. */
	load(name) {
		return import(at(`app/${name}.js`));
	},

	/* The style sheets of the service's pages lie in a layer, below the theme's: luci.css says where which of them counts.
	   Canvases take their colours from them, so a page waits until they are there. */
	async styles(names) {
		const layered = names.map(name => `@import url("${at(`app/${name}.css`)}") layer(remsim);`).join('\n');
		const own = `${L.resource('remsim/luci.css')}?v=${L.env.resource_version}`;
		const nodes = [E('style', {}, [layered]), E('link', { 'rel': 'stylesheet', 'href': own })];

		await Promise.all(nodes.map(node => new Promise(resolve => {
			for (const end of ['load', 'error'])
				node.addEventListener(end, resolve);

			document.head.append(node);
		})));
	}
});
