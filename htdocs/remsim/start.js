/** Starts a page of the service itself: same origin, the browser's cookie. Which one stands on the body. */

import { createRequest, queryText } from './api.js';

const api = new URL('../../api/v1', import.meta.url).pathname;
const page = name => new URL(`../../${name}`, import.meta.url).pathname;
const { module, title } = document.body.dataset;
const query = Object.fromEntries(new URLSearchParams(location.search));
const groups = [...document.querySelectorAll('.remsim-nav details')];
const close = event => groups.filter(group => group.open && !group.contains(event.target)).forEach(group => { group.open = false; });
document.addEventListener('pointerdown', close);
document.addEventListener('focusin', close);
document.addEventListener('keydown', event => {
	const open = event.key === 'Escape' && groups.find(group => group.open && group.contains(document.activeElement));
	if (open) {
		open.open = false;
		open.firstChild.focus();
	}
});
const { mount } = await import(`./${module}.js`);

mount(document.querySelector('main'), {
	request: createRequest(api),
	streamUrl: async lastId => `${api}/stream?last_event_id=${lastId}`,
	exportUrl: (kind, asked) => `${api}/export.${kind}${queryText(asked)}`,
	fileUrl: name => new URL(`../${name}`, import.meta.url).pathname,
	apiUrl: (path, asked) => `${api}/${path}${queryText(asked)}`,
	title,
	query,
	login: 'run “remsim link” on the router and open the link it prints',
	links: {
		page,
		wall: page('wall'),
		dashboard: page(''),
		modems: page('modems'),
		modem: (id, tab) => `${page('modems')}#${new URLSearchParams({ modem: id, tab })}`
	}
});
