/** The frame of a widget that has none of its own: a title and what it shows. */

import { el } from './dom.js';

/** {root, title, body}: a named region. */
export function panel(title, ...children) {
	const name = el('h3', {}, title), body = el('div.remsim-widget-body', {}, children);
	return { root: el('section.remsim-chart.remsim-widget', { 'aria-label': title }, el('header', {}, name), body), title: name, body };
}
