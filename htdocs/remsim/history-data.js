/** What History asks the router for: series, timelines, what was counted; as few requests as answers stay small. */

import { measuresOf } from './history-charts.js';
import { daysOf, groupsOf } from './history-lines.js';
import { fetchSeries, fetchTimelines } from './series.js';

const DAY_S = 86400;
const HOUR_S = 3600;
const HOURLY_S = 2 * DAY_S;

export const ids = modems => modems.map(modem => modem.id);

/** The period as the API is asked for it, so that an export has the same. */
export const bounds = ({ from, to }) => ({ from: Math.floor(from), to: Math.ceil(to) });

/** The seconds that a bar of a period is for. */
export const bucketOf = ({ from, to }) => to - from > HOURLY_S ? DAY_S : HOUR_S;

/** Whether the data used is worked out from the throughput, an hour a bar. */
export const isHourly = (period, charts) => bucketOf(period) === HOUR_S && charts.some(chart => chart.bars === 'usage');

/** The measures of a page: those that are drawn, and those that are worked with. */
export function measuresAsked(period, charts) {
	return [...new Set([...measuresOf(charts), ...isHourly(period, charts) ? ['rx_bits_per_s', 'tx_bits_per_s'] : []])];
}

/**
 * Series of a period, and with `shift` those of the one so many seconds earlier:
 * {series, earlier (or null): Maps of fetchSeries, threshold: of what is unusual, failed: a sentence or null}.
 */
export async function askSeries(asking, { period, modems, measures, points, shift, anomalies }) {
	const wanted = groupsOf(modems, measures, points);
	const asked = more => Promise.all(wanted.groups.map(group => asking.run(request => fetchSeries(request, { modems: ids(modems), measures: group, points: wanted.points, ...bounds(period), ...more }))));
	const [now, before] = await Promise.all([asked({ anomalies }), shift ? asked({ shift, band: false }) : null]);
	return {
		series: merged(now),
		earlier: before && merged(before),
		threshold: now.map(answer => answer && answer.anomalies).find(Boolean)?.threshold,
		failed: [...now, ...before || []].find(answer => answer && answer.error)?.error || null
	};
}

/** Answers of several requests as one Map. */
function merged(answers) {
	return new Map(answers.flatMap(answer => answer && !answer.error ? [...answer] : []));
}

/** Timelines, a Map as fetchTimelines gives it; null without an answer. */
export async function askTimelines(asking, { period, modems, tracks, points }) {
	const found = await asking.run(request => fetchTimelines(request, { modems: ids(modems), tracks, points, ...bounds(period) }));
	return found && !found.error ? found : null;
}

/** Answers of `usage` (where a bar is a day) and `counts` for charts of bars; null where they are not needed. */
export function askCounted(asking, { period, modems, charts }) {
	const kinds = charts.filter(chart => chart.bars === 'counts').flatMap(chart => chart.kinds.map(([kind]) => kind));
	return Promise.all([
		bucketOf(period) === DAY_S && charts.some(chart => chart.bars === 'usage') ? asking.ask('usage', daysOf(period.from, period.to)) : null,
		kinds.length ? asking.ask('counts', { modem: ids(modems).join(), kind: kinds.join(), ...bounds(period), bucket: bucketOf(period) }) : null
	]);
}
