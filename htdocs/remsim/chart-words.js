/** What stands around a chart in words: its legend with the values at the cursor, and its statistics. */

import { el, svg } from './dom.js';
import { NONE } from './format.js';
import { DASHED, DASHES } from './theme.js';
import { msg } from './words.js';

const EARLIER = [2, 3];
const NAMES = [['min', msg('min')], ['avg', msg('avg')], ['median', msg('median')], ['p95', msg('p95')], ['max', msg('max')]];

/** Dash pattern of a line: the second of a series is dashed, that of an earlier period is dotted. */
export function dashOf(line) {
	if (line.earlier)
		return EARLIER;
	return line.dash ? DASHED : DASHES[line.series % 8];
}

/** A line of `chart` (a TimeChart) in its legend; `point` is the one at the cursor, null for none. */
export function legendEntry(chart, line, point) {
	const swatch = svg('svg', { viewBox: '0 0 18 4', class: `remsim-swatch remsim-series-${(line.series % 8) + 1}${line.earlier || line.pale ? ' remsim-earlier' : ''}` },
		svg('path', { d: 'M0 2H18', 'stroke-dasharray': dashOf(line).join(' ') || null }));
	return el('span', {}, swatch, `${line.label} `, el('b', {}, point ? chart.shown(point[2]) : NONE));
}

/** The table of [line, statistics] below a chart, with what a point stands for. */
export function statisticsTable(chart, rows) {
	const { t } = chart.spec;
	const name = line => line.stepS && line.stepS !== chart.stepS ? `${line.label} (${chart.resolution(line.stepS)})` : line.label;
	return el('table.remsim-stats', {},
		el('thead', {}, el('tr', {}, el('th', { scope: 'col' }, chart.resolution()), NAMES.map(([, word]) => el('th', { scope: 'col' }, t(word))))),
		el('tbody', {}, rows.map(([line, known]) => el('tr', {}, el('th', { scope: 'row' }, name(line)), NAMES.map(([key]) => el('td', {}, chart.shown(known[key])))))));
}

/** The same as one text, for those who do not see the chart. */
export function statisticsText(chart, rows) {
	const { t } = chart.spec;
	return rows.map(([line, known]) => `${line.label}: ${NAMES.map(([key, word]) => `${t(word)} ${chart.shown(known[key])}`).join(', ')}`).join('. ');
}
