/** A table that is patched in place: what is being read, marked or pressed stays while values move. */

import { el, setText } from './dom.js';

function looks({ isNumber, kind }) {
	return [isNumber && 'remsim-number', kind && `remsim-${kind}`].filter(Boolean).join(' ') || null;
}

export class LiveTable {
	/** `columns`: [{label, text(row), look(row) -> class, node(row) -> element made once a row, isNumber, kind: its class,
	 * isPlain: the label is for screen readers only}]; `key(row)` tells rows apart. */
	constructor(columns, key, label) {
		this._columns = columns;
		this._key = key;
		this._rows = new Map();
		this.body = el('tbody');
		this.root = el('div.remsim-tablebox', { tabindex: '0', role: 'group', 'aria-label': label }, el('table.remsim-table', {},
			el('thead', {}, el('tr', {}, columns.map(column => el('th', { scope: 'col', class: looks(column) }, column.isPlain ? el('span.remsim-said', {}, column.label) : column.label)))), this.body));
	}

	show(rows) {
		const kept = new Map();
		rows.forEach((row, at) => {
			let key = String(this._key(row));
			while (kept.has(key))
				key += '+';
			const known = this._rows.get(key) || this._make(row);
			kept.set(key, known);
			this._columns.forEach((column, place) => {
				if (column.text)
					setText(known.cells[place], column.text(row));
				if (column.look)
					known.cells[place].className = [looks(column), column.look(row)].filter(Boolean).join(' ');
			});
			if (this.body.children[at] !== known.root)
				this.body.insertBefore(known.root, this.body.children[at] || null);
		});
		for (const [key, { root }] of this._rows) {
			if (!kept.has(key))
				root.remove();
		}
		this._rows = kept;
	}

	_make(row) {
		const cells = this._columns.map(column => el('td', { class: looks(column) }, column.node ? column.node(row) : null));
		return { cells, root: el('tr', {}, cells) };
	}
}
