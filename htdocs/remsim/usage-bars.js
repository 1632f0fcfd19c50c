/** Bytes a day as bars, received over sent: drawn as SVG, so that paper has them too; the table under it has the numbers. */

import { el, svg } from './dom.js';
import { bytes } from './format.js';

const WIDTH = 600;
const HEIGHT = 120;
const GAP = 0.18;
const STEPS = [1, 2, 5];

/** The least round amount that is not below `value`. */
function roundAbove(value) {
	if (!(value > 0))
		return 1;
	const power = 10 ** Math.floor(Math.log10(value));
	return [...STEPS, 10].map(step => step * power).find(step => step >= value);
}

/** Every day from `first` to `last` (both in), those without usage too. */
function allDays(perDay, first, last) {
	const known = new Map(perDay.map(row => [row.day, row])), days = [];
	for (let at = Date.parse(first); at <= Date.parse(last) && days.length < 62; at += 86400000) {
		const day = new Date(at).toISOString().slice(0, 10);
		days.push(known.get(day) || { day, rx_bytes: 0, tx_bytes: 0 });
	}
	return days;
}

/** The bars of a cycle; `upTo`: the day it is now, later ones are still to come. */
export function usageBars(sim, upTo, t) {
	const days = allDays(sim.per_day, sim.from, sim.to), most = roundAbove(Math.max(...days.map(day => day.rx_bytes + day.tx_bytes))), each = WIDTH / days.length;
	const bar = (day, at) => {
		const height = amount => amount / most * HEIGHT, left = at * each + each * GAP / 2, width = each * (1 - GAP);
		return svg('g', {}, svg('title', {}, t('%s: received %s, sent %s', day.day, bytes(day.rx_bytes), bytes(day.tx_bytes))),
			svg('rect', { class: 'remsim-usage-none', x: at * each, y: 0, width: each, height: HEIGHT }),
			svg('rect', { class: 'remsim-usage-rx', x: left, width, y: HEIGHT - height(day.rx_bytes), height: height(day.rx_bytes) }),
			svg('rect', { class: 'remsim-usage-tx', x: left, width, y: HEIGHT - height(day.rx_bytes + day.tx_bytes), height: height(day.tx_bytes) }),
			day.day > upTo ? svg('rect', { class: 'remsim-usage-later', x: at * each, y: HEIGHT - 3, width: each, height: 3 }) : null);
	};
	return el('figure.remsim-usage-days', {},
		el('figcaption', {}, el('span', {}, el('span.remsim-usage-key.remsim-usage-key-rx', { 'aria-hidden': 'true' }), t('received')), el('span', {}, el('span.remsim-usage-key.remsim-usage-key-tx', { 'aria-hidden': 'true' }), t('sent')), el('span.remsim-muted', {}, t('highest line: %s a day', bytes(most)))),
		svg('svg', { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: 'none', role: 'img', 'aria-label': t('Usage a day; the table below has the numbers') },
			[0, 0.5].map(part => svg('path', { class: 'remsim-usage-line', d: `M0 ${HEIGHT * part}H${WIDTH}` })), days.map(bar)),
		el('div.remsim-usage-axis', { 'aria-hidden': 'true' }, days.map((day, at) => el('span', {}, at % 5 === 0 || days.length < 12 ? String(Number(day.day.slice(8))) : ''))));
}

/** The same as a table. */
export function usageTable(sim, t) {
	return el('details.remsim-usage-table', {}, el('summary', {}, t('Days as a table')), el('div.remsim-tablebox', { tabindex: '0', role: 'group', 'aria-label': t('Usage a day') }, el('table.remsim-table', {},
		el('thead', {}, el('tr', {}, el('th', { scope: 'col' }, t('Day')), [t('Received'), t('Sent'), t('Together')].map(word => el('th.remsim-number', { scope: 'col' }, word)))),
		el('tbody', {}, [...sim.per_day].reverse().map(row => el('tr', {}, el('th', { scope: 'row' }, row.day), [row.rx_bytes, row.tx_bytes, row.rx_bytes + row.tx_bytes].map(value => el('td.remsim-number', {}, bytes(value)))))))));
}
