/** What is wrong with a text, or odd in it, as a list: errors always, many warnings folded. */

import { el, fill, setText } from './dom.js';

const FEW = 3;
const MOST = 50;

export class ProblemList {
	/** `label`: the list's name; `row(problem)`: the nodes of one. */
	constructor(t, label, row) {
		Object.assign(this, { _t: t, _row: row });
		this.shown = el('ul.remsim-lacklist.remsim-problemlist', { 'aria-label': label });
		this.count = el('summary');
		this.folded = el('ul.remsim-lacklist.remsim-problemlist', { 'aria-label': label });
		this.fold = el('details.remsim-warnfold', { hidden: true }, this.count, this.folded);
		this.root = el('div', {}, this.shown, this.fold);
	}

	/** Problems as the API has them. */
	show(errors, warnings) {
		const t = this._t, isFolded = warnings.length > FEW;
		const items = (some, look, shape) => some.slice(0, MOST).map(one => el('li', {}, el(`span.remsim-quality-${look}`, { 'aria-hidden': 'true' }, shape), el('span', {}, this._row(one))));
		fill(this.shown, items(errors, 'poor', '✖'), isFolded ? null : items(warnings, 'fair', '▲'));
		this.fold.hidden = !isFolded;
		setText(this.count, isFolded ? `▲ ${t('%s warnings', warnings.length)}` : '');
		fill(this.folded, isFolded ? items(warnings, 'fair', '▲') : null);
	}
}
