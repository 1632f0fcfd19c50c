/** The past for charts: one request a page, its compact answer made points again. */

import { epoch } from './format.js';

const list = names => names && names.length ? names.join(',') : null;

/** The period of a query: `range` (a name like 24h), or `from` and `to` (epoch seconds). */
function period({ range, from, to }) {
	return range ? { range } : { from, to };
}

/**
 * Ask for series: `wanted` = {modems, measures, range | from and to, points, shift (seconds earlier, to compare), band
 * (false: without min and max), stats, anomalies}.
 *
 * A Map of "modem measure" to {modem, measure, unit, points: [[t, min, avg, max], …], stepS, source, reason, stats,
 * anomalies}; without values `points` is empty and `reason` says why. With a shift, times are moved to the period that
 * is shown, so that both can be drawn over each other; `from` and `to` of the Map's `period` are the shown ones, its `anomalies` say how those were found.
 */
export async function fetchSeries(request, wanted, { signal } = {}) {
	const flag = value => value ? 1 : null;
	const answer = await request('series/batch', { signal, query: {
		...period(wanted), modem: list(wanted.modems), measure: list(wanted.measures), points: wanted.points,
		shift: wanted.shift || null, band: wanted.band === false ? 0 : null, stats: flag(wanted.stats), anomalies: flag(wanted.anomalies)
	} });
	return seriesOf(answer);
}

/** The Map of an answer of `series/batch`. */
export function seriesOf(answer) {
	const shift = answer.shift_s || 0;
	const found = new Map();
	for (const one of answer.series)
		found.set(`${one.modem} ${one.measure}`, { modem: one.modem, measure: one.measure, unit: one.unit, points: pointsOf(one, answer.to, shift), stepS: one.step_s, source: one.source, reason: null, stats: one.stats || null, anomalies: one.anomalies ? moved(one.anomalies, shift) : null });
	for (const { modem, measure, reason } of answer.absent)
		found.set(`${modem} ${measure}`, { modem, measure, unit: null, points: [], stepS: 1, source: null, reason, stats: null, anomalies: null });
	found.period = { from: answer.from + shift, to: answer.to + shift };
	found.anomalies = answer.anomalies || null;
	return found;
}

/** Points of one series; spans in which no reading fell are left out, those without a value are gaps. */
export function pointsOf({ start, step_s: step, avg, min, max, skipped }, to, shift = 0) {
	const left = new Set(skipped);
	const points = [];
	avg.forEach((value, at) => {
		if (left.has(at))
			return;
		const end = start + at * step;
		const time = end > to && end - step < to ? to : end; // the last span has not ended yet
		points.push([time + shift, min ? min[at] : value, value, max ? max[at] : value]);
	});
	return points;
}

function moved(anomalies, shift) {
	return { ...anomalies, spans: anomalies.spans.map(span => ({ ...span, from: span.from + shift, to: span.to + shift })) };
}

/**
 * Ask for timelines: {modems, tracks, points (shorter ones are put together), range | from and to}. A Map of "modem track" to segments [{from, to, value}] with
 * epoch seconds; value null is unknown.
 */
export async function fetchTimelines(request, wanted, { signal } = {}) {
	const answer = await request('timeline/batch', { signal, query: { ...period(wanted), modem: list(wanted.modems), track: list(wanted.tracks), points: wanted.points } });
	return new Map(answer.timelines.map(({ modem, track, changes }) => [`${modem} ${track}`, segmentsOf(changes, answer.to)]));
}

/** Changes [[time, value], …] as segments up to `to`. */
export function segmentsOf(changes, to) {
	return changes.map(([from, value], at) => ({ from, to: at + 1 < changes.length ? changes[at + 1][0] : to, value }));
}

/** Ask for annotations of a period: [{id, at, to (or null), text, modem (or null for all), author}] with epoch seconds. */
export async function fetchAnnotations(request, wanted, { signal } = {}) {
	const answer = await request('annotations', { signal, query: { ...period(wanted), modem: list(wanted.modems) } });
	return answer.annotations.map(one => ({ ...one, at: epoch(one.at), to: epoch(one.to) }));
}
