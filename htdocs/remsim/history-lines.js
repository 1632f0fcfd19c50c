/** From answers of the API to what charts draw. */

import { epoch } from './format.js';
import { lineName } from './words.js';

const MOST_SERIES = 64;
const MOST_VALUES = 38400;
const HOUR_S = 3600;

/** What one request may ask for: measures in groups so that an answer stays small, and points each. */
export function groupsOf(modems, measures, points) {
	const many = Math.max(1, Math.floor(MOST_SERIES / Math.max(modems.length, 1)));
	const groups = [];
	for (let at = 0; at < measures.length; at += many)
		groups.push(measures.slice(at, at + many));
	const most = Math.max(...groups.map(group => group.length), 1) * Math.max(modems.length, 1);
	return { groups, points: Math.max(1, Math.min(points, Math.floor(MOST_VALUES / most))) };
}

/**
 * Lines of a chart: `series` and `earlier` (or null; `when` that was) are Maps of fetchSeries, `order` the ids of all modems
 * for the colours.
 * {lines, stepS, why: [[modem's name, or null for all, reason], …] for what is missing}.
 */
export function linesOf(chart, modems, order, series, earlier, t, when = t('before')) {
	const lines = [], why = [];
	let stepS = 1;
	for (const modem of modems) {
		for (const [measure, suffix, dash] of chart.lines) {
			const found = series.get(`${modem.id} ${measure}`);
			if (!found || !found.points.length) {
				if (measure === chart.lines[0][0])
					why.push([modem.name, found ? found.reason : t('nothing came from the router')]);
				continue;
			}
			const line = { label: lineName(modem.name, suffix, t), series: order.indexOf(modem.id), dash, points: found.points, measure, modem: modem.id, periodS: modem.effective_period_s };
			stepS = Math.max(stepS, found.stepS);
			lines.push(line);
			const before = earlier && earlier.get(`${modem.id} ${measure}`);
			if (before && before.points.length)
				lines.push({ ...line, points: before.points, earlier: true, stepS: before.stepS, label: t('%s, %s', line.label, when) });
		}
	}
	const reasons = new Set(why.map(([, reason]) => reason));
	return { lines, stepS, why: !lines.length && reasons.size === 1 ? [[null, ...reasons]] : why };
}

/** Stretches of unusual values of a chart's modems; null where none were looked for. */
export function unusualOf(chart, modems, series) {
	const known = modems.map(modem => series.get(`${modem.id} ${chart.unusual}`)).filter(one => one && one.anomalies);
	return known.length ? known.flatMap(one => one.anomalies.spans) : null;
}

/** Bars of `usage`: received and sent of each interface a day of UTC. */
export function usageBars(rows, modems, order, t) {
	const lines = new Map();
	for (const row of rows) {
		const modem = modems.find(one => one.id === row.modem);
		if (!modem)
			continue;
		const stack = `${row.modem} ${row.interface}`, day = epoch(`${row.day}T00:00:00Z`);
		for (const [name, mark, pale] of [['rx_bytes', '↓', false], ['tx_bytes', '↑', true]]) {
			const key = `${stack} ${name}`;
			if (!lines.has(key))
				lines.set(key, { label: t('%s %s %s', modem.name, row.interface, mark), series: order.indexOf(row.modem), stack, pale, bars: true, points: new Map() });
			const { points } = lines.get(key);
			points.set(day, (points.get(day) || 0) + row[name]);
		}
	}
	return [...lines.values()].sort((a, b) => a.series - b.series).map(line => ({ ...line, points: [...line.points].sort((a, b) => a[0] - b[0]).map(([time, value]) => [time, value, value, value]) }));
}

/** Bars of what went through each modem's interface an hour, counted from the averages of its throughput. */
export function hourBars(modems, order, series, t) {
	return modems.flatMap(modem => [['rx_bits_per_s', '↓', false], ['tx_bits_per_s', '↑', true]].map(([measure, mark, pale]) => {
		const found = series.get(`${modem.id} ${measure}`), hours = new Map();
		for (const [end, , rate] of found ? found.points : []) {
			const hour = Math.floor((end - found.stepS / 2) / HOUR_S) * HOUR_S;
			if (rate !== null)
				hours.set(hour, (hours.get(hour) || 0) + rate / 8 * found.stepS);
		}
		return { label: t('%s %s', modem.name, mark), series: order.indexOf(modem.id), stack: modem.id, pale, bars: true, points: [...hours].map(([time, value]) => [time, value, value, value]) };
	})).filter(line => line.points.length);
}

/** The days of UTC of a period, as the API wants them. */
export function daysOf(from, to) {
	const day = time => new Date(time * 1000).toISOString().slice(0, 10);
	return { from: day(from), to: day(Math.max(from, to - 1)) };
}

/** Bars of an answer of `counts`: {lines, why} of a chart. */
export function countBars(chart, answer, modems, order, t) {
	const lines = chart.kinds.flatMap(([kind, suffix], at) => modems.map(modem => {
		const found = answer.counts.find(one => one.modem === modem.id && one.kind === kind);
		const points = found ? found.values.map((value, slot) => [answer.start + slot * answer.bucket_s, value, value, value]) : [];
		return { label: lineName(modem.name, suffix, t), series: order.indexOf(modem.id), stack: modem.id, pale: at > 0, bars: true, points };
	})).filter(line => line.points.length);
	return { lines, why: [] };
}

/** Strips of what each modem used, a colour for each value in the order in which they came; `words(value)` names it. */
export function lanesOf(track, modems, timelines, words) {
	const numbers = new Map();
	return modems.map(modem => (timelines.get(`${modem.id} ${track}`) || []).map(({ from, to, value }) => {
		if (value !== null && !numbers.has(value))
			numbers.set(value, numbers.size);
		return { from, to, colour: value === null ? null : numbers.get(value), text: value === null ? '' : words(value) };
	}));
}

/** Whether the service was off in all of a period, from the timelines of a modem's state. */
export function wasOff(modems, timelines, from, to) {
	const states = modems.map(modem => timelines.get(`${modem.id} state`) || []);
	return states.length > 0 && states.every(segments => segments.filter(one => one.to > from && one.from < to).every(one => one.value === null));
}
