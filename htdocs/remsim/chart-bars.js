/** A chart of what was counted: a bar a span of time, a stack a modem. */

import { stepText } from './chart-points.js';
import { TimeChart } from './charts.js';
import { el, fill } from './dom.js';

const WIDEST = 40;

/**
 * A line is {label, series, stack, pale, points: [[start, value, value, value], …]}; `stepS` of `show` is the width of a
 * bar. Lines with the same `stack` stand on each other.
 */
export class BarChart extends TimeChart {
	_sets(line) {
		const colour = this.colours.series[line.series % 8];
		const data = line.points.map(point => ({ x: point[0] + this.stepS / 2, y: point[2] }));
		const set = { type: 'bar', label: line.label, data, stack: line.stack, backgroundColor: line.pale ? `${colour}80` : colour, borderColor: colour, borderWidth: line.pale ? 1 : 0, barThickness: 1, order: 1 };
		line.sets = [[set, 2]];
		return [set];
	}

	/** Bars as wide as their time, with room for those beside them. */
	_period(from, to) {
		super._period(from, to);
		const stacks = new Set(this.lines.map(line => line.stack)).size || 1;
		const area = (this.canvas.clientWidth || 600) - (this.spec.axisWidth || 44) - 8;
		const width = Math.max(1, Math.min(WIDEST, area * this.stepS / (to - from) * 0.8 / stacks));
		for (const { sets } of this.lines)
			sets.forEach(([set]) => { set.barThickness = width; });
		Object.assign(this.chart.options.scales.y, { stacked: true });
		Object.assign(this.chart.options.scales.x, { stacked: false, offset: false });
	}

	_limits() {
		const heights = new Map();
		for (const { stack, points } of this.lines) {
			for (const [time, , value] of points)
				heights.set(`${stack} ${time}`, (heights.get(`${stack} ${time}`) || 0) + (value || 0));
		}
		const scale = this.chart.options.scales.y;
		scale.min = 0;
		scale.max = Math.max(...heights.values(), this.spec.max || 1) * 1.04;
	}

	/** The bar in which the cursor stands; without one, the last. */
	_pointOf(line, cursor) {
		if (cursor === null)
			return line.points[line.points.length - 1] || null;
		return line.points.find(point => point[0] <= cursor && cursor < point[0] + this.stepS) || null;
	}

	_texts() {
		this._legend();
		const t = this.spec.t;
		const sum = points => points.reduce((total, point) => total + (point[2] || 0), 0);
		const most = points => points.reduce((high, point) => Math.max(high, point[2] || 0), 0);
		fill(this.stats, el('table.remsim-stats', {},
			el('thead', {}, el('tr', {}, el('th', { scope: 'col' }, this.resolution()), el('th', { scope: 'col' }, t('total')), el('th', { scope: 'col' }, t('most')))),
			el('tbody', {}, this.lines.map(line => el('tr', {}, el('th', { scope: 'row' }, line.label), el('td', {}, this.shown(sum(line.points))), el('td', {}, this.shown(most(line.points))))))));
		const words = this.lines.map(line => `${line.label}: ${this.shown(sum(line.points))}`);
		this.canvas.setAttribute('aria-label', `${this.spec.title}. ${words.join('. ')}`);
	}

	resolution() {
		return this.spec.t('sums of %s', stepText(this.stepS));
	}

	append() {} // what is counted is asked for anew
}
