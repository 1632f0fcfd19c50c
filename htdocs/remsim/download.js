/** Links that save something. */

import { el } from './dom.js';

/** A link in `box` that keeps its element, and with it the keyboard's place, while its address changes; none without a `url`. */
export function download(box, tag, url, text, label = null) {
	const old = [...box.children].find(child => child.textContent === text);
	if (old && url)
		old.href = url;
	else if (old)
		old.remove();
	else if (url)
		box.appendChild(el(tag, { href: url, download: '', 'aria-label': label }, text));
}
