/** Colours for canvases, read from the style sheet's tokens; told anew when the scheme changes. */

const NAMES = ['ground', 'surface', 'border', 'text', 'muted', 'accent', 'excellent', 'good', 'fair', 'poor', 'none'];

/** The tokens' values as they are now on `node`. */
export function colours(node) {
	const style = getComputedStyle(node);
	const read = name => style.getPropertyValue(`--remsim-${name}`).trim() || '#888';
	const found = Object.fromEntries(NAMES.map(name => [name, read(name)]));
	found.series = Array.from({ length: 8 }, (_, at) => read(`series-${at + 1}`));
	return found;
}

/** Dash patterns from the fifth series on tell lines apart without colour. */
export const DASHES = [[], [], [], [], [6, 3], [2, 3], [8, 3, 2, 3], [1, 4]];

/** The second line of a series: the same colour, dashed. */
export const DASHED = [5, 3];

/** Set the scheme of `root` and follow its source: 'auto', 'light', 'dark' or LuCI's <html data-darkmode>. */
export function followScheme(root, scheme, changed) {
	const media = matchMedia('(prefers-color-scheme: dark)');
	const html = document.documentElement;
	const apply = () => {
		const byLuci = html.getAttribute('data-darkmode');
		const dark = scheme === 'dark' || (scheme !== 'light' && (byLuci === null ? media.matches : byLuci === 'true'));
		root.setAttribute('data-remsim-scheme', dark ? 'dark' : 'light');
		changed();
	};
	const observer = new MutationObserver(apply);
	observer.observe(html, { attributes: true, attributeFilter: ['data-darkmode'] });
	media.addEventListener('change', apply);
	apply();
	return () => {
		observer.disconnect();
		media.removeEventListener('change', apply);
	};
}
