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

/** Whether what `node` stands on is dark. */
function isOnDark(node) {
	for (let ground = node.parentElement; ground; ground = ground.parentElement) {
		const [red, green, blue, opacity = 1] = getComputedStyle(ground).backgroundColor.match(/[\d.]+/g).map(Number);
		if (opacity > 0.5)
			return 0.3 * red + 0.6 * green + 0.1 * blue < 128;
	}
	return false;
}

/**
 * Set the scheme of `root` and follow its source: 'light', 'dark', 'auto' (the browser's) or 'ground' (what the page
 * around it has, for themes of LuCI that say nothing); LuCI's <html data-darkmode> goes before the last two.
 */
export function followScheme(root, scheme, changed) {
	const media = matchMedia('(prefers-color-scheme: dark)');
	const html = document.documentElement;
	const apply = () => {
		const byLuci = html.getAttribute('data-darkmode');
		const bySource = () => byLuci === null ? (scheme === 'ground' ? isOnDark(root) : media.matches) : byLuci === 'true';
		const dark = scheme === 'dark' || (scheme !== 'light' && bySource());
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
