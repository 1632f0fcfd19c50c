/** A chart of what was counted: a bar a span of time, a stack a modem. */

import { stepText } from './chart-points.js';
import { TimeChart } from './charts.js';
import { el, fill } from './dom.js';

const FILLED = 0.84;

/**
 * A line is {label, series, stack, pale, points: [[start, value, value, value], …]}; `stepS` of `show` is the time that a
 * bar is for. Lines with the same `stack` stand on each other. The library has no bars from a time to a time, so that
 * those are drawn here.
 */
export class BarChart extends TimeChart {
	/** No dataset; the picture takes a line's colour from here. */
	_sets(line) {
		line.sets = [[{ borderColor: `${this.colours.series[line.series % 8]}${line.pale ? '80' : ''}` }, 2]];
		return [];
	}

	/** Values of the lines at each start: [start, [[line, from, to], …] a stack]. */
	_stacks() {
		const bars = new Map(), stacks = [...new Set(this.lines.map(line => line.stack))];
		for (const line of this.lines) {
			for (const [start, , value] of line.points) {
				if (!bars.has(start))
					bars.set(start, stacks.map(() => []));
				const stack = bars.get(start)[stacks.indexOf(line.stack)];
				const below = stack.length ? stack[stack.length - 1][2] : 0;
				stack.push([line, below, below + (value || 0)]);
			}
		}
		return bars;
	}

	/** Called by the layers under the lines. */
	drawBars({ ctx, chartArea: area, scales }) {
		ctx.globalAlpha = 1;
		for (const [start, stacks] of this._bars) {
			const left = scales.x.getPixelForValue(start), width = scales.x.getPixelForValue(start + this.stepS) - left;
			const each = width * FILLED / stacks.length;
			stacks.forEach((stack, at) => {
				const from = Math.max(left + width * (1 - FILLED) / 2 + at * each, area.left), to = Math.min(left + width * (1 - FILLED) / 2 + (at + 1) * each, area.right);
				for (const [line, low, high] of to > from ? stack : []) {
					ctx.fillStyle = line.sets[0][0].borderColor;
					ctx.fillRect(from, scales.y.getPixelForValue(high), Math.max(to - from - (stacks.length > 1 ? 1 : 0), 0.5), scales.y.getPixelForValue(low) - scales.y.getPixelForValue(high));
				}
			});
		}
	}

	_limits() {
		this._bars = this._stacks();
		const heights = [...this._bars.values()].flat().map(stack => stack.length ? stack[stack.length - 1][2] : 0);
		const scale = this.chart.options.scales.y;
		scale.min = 0;
		scale.max = Math.max(...heights, this.spec.max || 1) * 1.04;
	}

	/** The bar in which the cursor stands; without one, the last. */
	_pointOf(line, cursor) {
		if (cursor === null)
			return line.points[line.points.length - 1] || null;
		return line.points.find(([start]) => start <= cursor && cursor < start + this.stepS) || null;
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
