/** A page of a layout as it is looked at: its widgets on the grid, the bar of the period before those that follow it. */

import { heightOf, inOrder, splitAt } from './dashboard-grid.js';
import { followsPeriod, titleOf } from './dashboard-widgets.js';
import { el } from './dom.js';

/** Put a cell where its widget stands; a style sheet makes lines of the grid of it. */
export function place(cell, { x, y, w, h }, firstRow = 0) {
	for (const [name, value] of Object.entries({ x, y: y - firstRow, w, h }))
		cell.style.setProperty(`--remsim-${name}`, String(value));
	cell.classList.toggle('remsim-small', w <= 4);
}

/** A grid of cells for `widgets`; what is in a cell comes when its module is there. */
export function gridOf(board, widgets, firstRow = 0, isCurrent = () => true) {
	const t = board.options.t;
	const cells = inOrder(widgets).map(widget => {
		const cell = el(`div.remsim-cell.remsim-cell-${widget.type}`);
		place(cell, widget, firstRow);
		const ready = board.make(widget, titleOf(widget, t)).then(made => {
			if (!isCurrent()) {
				made.destroy?.();
				return;
			}
			cell.prepend(made.root);
			board.join(made);
		});
		return { cell, ready };
	});
	const grid = el('div.remsim-board', {}, cells.map(one => one.cell));
	grid.style.setProperty('--remsim-rows', String(Math.max(1, heightOf(widgets) - firstRow)));
	return { grid, ready: Promise.all(cells.map(one => one.ready)) };
}

export class PageView {
	/** `toolbar` is shown before what follows the period, and hidden where nothing does. */
	constructor(board, page, toolbar = null) {
		this._board = board;
		this._isCurrent = true;
		const { widgets } = page, row = toolbar ? splitAt(widgets, followsPeriod) : null;
		const parts = row === null ? [widgets] : [widgets.filter(one => one.y < row), widgets.filter(one => one.y >= row)];
		const [first, second] = parts.map((part, at) => part.length ? gridOf(board, part, at ? row : 0, () => this._isCurrent) : null);
		this.root = el('div.remsim-boardpage', {}, el('h2.remsim-said', {}, board.options.t('Widgets')),
			widgets.length ? null : el('p.remsim-nothing', {}, board.options.t('This page is empty. Arrange adds widgets to it.')), first?.grid, row === null ? null : toolbar, second?.grid);
		this.ready = Promise.all([first, second].map(part => part?.ready));
		this.hasPeriod = row !== null;
	}

	destroy() {
		this._isCurrent = false;
		for (const made of [...this._board.widgets])
			this._board.leave(made);
		this.root.remove();
	}
}
