/** The axes of a chart: days and hours below, values with few digits beside. */

import { number, tick, tickStep, zoneS } from './format.js';

const LABEL_PX = 90;

/** What Chart.js wants to know of the axes of `chart` (a TimeChart). */
export function scalesOf(chart) {
	const { colours, fontPx, spec } = chart;
	const axis = { grid: { color: colours.border, lineWidth: 1, drawTicks: false }, border: { display: false }, ticks: { color: colours.muted, font: { size: fontPx } } };
	return {
		x: {
			...axis, type: 'linear', min: 0, max: 1,
			ticks: { ...axis.ticks, autoSkip: true, maxRotation: 0, padding: 6, callback(value) { return tick(value, this.max - this.min); } },
			afterBuildTicks: scale => {
				const step = tickStep(scale.max - scale.min, Math.max(2, Math.floor((scale.width || 600) * 11 / fontPx / LABEL_PX)));
				const zone = zoneS(scale.min);
				const first = Math.ceil((scale.min - zone) / step) * step + zone;
				scale.ticks = [];
				for (let value = first; value <= scale.max; value += step)
					scale.ticks.push({ value: value + zoneS(value) - zone });
			}
		},
		y: {
			...axis,
			afterFit: scale => { scale.width = (spec.axisWidth || 44) * fontPx / 11; },
			ticks: { ...axis.ticks, includeBounds: false, maxTicksLimit: 6, callback: value => chart.isLog() && !/^[125]0*$/.test(String(value)) ? null : spec.axis ? spec.axis(value) : number(value, Number.isInteger(value) ? 0 : 1) }
		}
	};
}
