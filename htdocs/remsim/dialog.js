/** A dialog over the page: what it holds, and the focus back to where it was. */

import { el } from './dom.js';

let names = 0;

/** Open one inside `around` (for its colours). Returns {root, close}; `closed()` is called however it goes. */
export function openDialog(around, { title, t, closed = () => {} }, ...content) {
	const before = document.activeElement, id = `remsim-dialog-${++names}`;
	const heading = el('h3', { id }, title);
	const root = el('dialog.remsim-dialog', { 'aria-labelledby': id, close: () => ended() },
		el('header', {}, heading, el('button', { type: 'button', 'aria-label': t('Close'), click: () => root.close() }, '✕')), content);
	const ended = () => {
		root.remove();
		if (before?.isConnected)
			before.focus({ preventScroll: true });
		closed();
	};
	around.append(root);
	root.showModal();
	return { root, close: () => root.close() };
}

/** A labelled input; a check box stands before its words. */
export function field(label, input, help = null) {
	const id = `remsim-field-${++names}`, isCheck = input.type === 'checkbox', name = el('label', { for: id }, label);
	input.id = id;
	if (help)
		input.setAttribute('aria-describedby', `${id}-help`);
	return el(`div.remsim-formrow${isCheck ? '.remsim-formcheck' : ''}`, {}, isCheck ? [input, ' ', name] : [name, input], help ? el('small', { id: `${id}-help` }, help) : null);
}

/** A select of [value, label] pairs. */
export function select(pairs, value, attributes = {}) {
	const node = el('select', attributes, pairs.map(([one, label]) => el('option', { value: one }, label)));
	node.value = value;
	return node;
}
