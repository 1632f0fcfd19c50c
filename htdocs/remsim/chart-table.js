/** The values of a chart as a table, for those who do not see it; made when it is opened. */

import { stepText } from './chart-points.js';
import { el, fill } from './dom.js';
import { NONE, moment } from './format.js';

const ROWS = 48;

export class ChartTable {
	constructor(chart, t) {
		this._chart = chart;
		this._t = t;
		this.body = el('div.remsim-chart-table', { tabindex: '0', role: 'group', 'aria-label': t('%s as a table', chart.spec.title) });
		this.root = el('details', { toggle: () => this.update() }, el('summary', {}, t('Values as a table')), this.body);
	}

	/** Fill it again when it is open, and its chart is drawn. */
	update() {
		if (!this.root.open || this._chart.from === undefined)
			return;
		const t = this._t, { lines, spec, from, to, stepS } = this._chart;
		const { spanS, rows } = thinned(lines, from, to, stepS || 1);
		const caption = t('%s, %s to %s, a row every %s', spec.unit ? `${spec.title} (${spec.unit})` : spec.title, moment(from, to, false), moment(to, from, false), stepText(spanS));
		fill(this.body, el('table', {}, el('caption', {}, caption),
			el('thead', {}, el('tr', {}, el('th', { scope: 'col' }, t('from')), lines.map(line => el('th', { scope: 'col' }, line.label)))),
			el('tbody', {}, rows.map(({ start, cells }) => el('tr', {}, el('th', { scope: 'row' }, moment(start, to, spanS < 60)), cells.map(cell => el('td', {}, this._text(cell))))))));
	}

	_text(cell) {
		if (!cell)
			return NONE;
		const [low, mean, high] = cell.map(value => this._chart.shown(value));
		return low === high ? mean : `${mean} (${low} … ${high})`;
	}
}

/** Lines gathered into so few rows that they can be read: of each span the least, the mean, the greatest. */
export function thinned(lines, from, to, stepS) {
	const spanS = Math.ceil(Math.max((to - from) / ROWS, stepS) / stepS) * stepS;
	const first = Math.floor(from / spanS);
	const gathered = lines.map(({ points, bars }) => {
		const spans = new Map();
		for (const [time, low, mean, high] of points) {
			if (mean === null || time < from - stepS || time > to)
				continue;
			const slot = bars ? Math.floor(time / spanS) : Math.ceil(time / spanS) - 1; // a mean stands at the end of its time
			const [least, sum, most, count] = spans.get(slot) || [Infinity, 0, -Infinity, 0];
			spans.set(slot, [Math.min(least, low), sum + mean, Math.max(most, high), count + 1]);
		}
		return spans;
	});
	const rows = [];
	for (let slot = first; slot * spanS < to; slot++) {
		const cells = gathered.map((spans, at) => {
			const found = spans.get(slot);
			return found ? lines[at].bars ? [found[1], found[1], found[1]] : [found[0], found[1] / found[3], found[2]] : null;
		});
		if (cells.some(Boolean))
			rows.push({ start: slot * spanS, cells });
	}
	return { spanS, rows };
}
