/** What History makes of the router's answers: `node --test tests/browser/js`. */

import assert from 'node:assert/strict';
import test from 'node:test';

import { Asking } from '../../../htdocs/remsim/asking.js';
import { RARE_KINDS, markOf } from '../../../htdocs/remsim/chart-marks.js';
import { thinned } from '../../../htdocs/remsim/chart-table.js';
import { number, tick, useLocale } from '../../../htdocs/remsim/format.js';
import { CHARTS, measuresOf } from '../../../htdocs/remsim/history-charts.js';
import { countBars, daysOf, groupsOf, hourBars, lanesOf, linesOf, usageBars, wasOff } from '../../../htdocs/remsim/history-lines.js';
import { eventsOf } from '../../../htdocs/remsim/period-events.js';
import { plain } from '../../../htdocs/remsim/words.js';

const MODEMS = [{ id: 'modem1', name: 'wan1' }, { id: 'modem2', name: 'wan2' }];
const ORDER = ['modem1', 'modem2'];
const RSRP = CHARTS.find(chart => chart.id === 'rsrp');
const series = (...known) => new Map(known.map(([key, points, reason = null]) => [key, { points, stepS: 60, reason }]));
const flat = (time, value) => [time, value, value, value];

test('failures and returns of links are marked, in long periods too', () => {
	assert.deepEqual(['link_down', 'link_up', 'failover'].map(markOf), ['✕', '✓', '◆']);
	assert.ok(['link_down', 'link_up', 'failover'].every(kind => RARE_KINDS.includes(kind)));
	assert.ok(RARE_KINDS.every(markOf));
});

test('a page of many modems asks in groups that an answer holds', () => {
	const eight = Array.from({ length: 8 }, (_, at) => ({ id: `m${at}` })), measures = measuresOf(CHARTS);
	const { groups, points } = groupsOf(eight, measures, 1000);
	assert.deepEqual(groups.flat(), measures);
	assert.ok(groups.every(group => group.length * 8 <= 64 && group.length * 8 * points <= 38400));
	assert.equal(groupsOf(MODEMS, measures, 400).points, 400);
	assert.deepEqual(groupsOf([], [], 10).groups, []);
});

test('a modem keeps its colour whichever others are shown', () => {
	const { lines } = linesOf(RSRP, [MODEMS[1]], ORDER, series(['modem2 rsrp_dbm', [flat(1, -90)]]), null, plain);
	assert.deepEqual(lines.map(line => [line.label, line.series]), [['wan2', 1]]);
});

test('what no modem reports is said once, what one lacks with its name', () => {
	const none = series(['modem1 rsrp_dbm', [], 'no antenna'], ['modem2 rsrp_dbm', [], 'no antenna']);
	assert.deepEqual(linesOf(RSRP, MODEMS, ORDER, none, null, plain).why, [[null, 'no antenna']]);
	const one = series(['modem1 rsrp_dbm', [flat(1, -90)]], ['modem2 rsrp_dbm', [], 'no antenna']);
	assert.deepEqual(linesOf(RSRP, MODEMS, ORDER, one, null, plain).why, [['wan2', 'no antenna']]);
});

test('an earlier period has a line of its own beside each', () => {
	const now = series(['modem1 rsrp_dbm', [flat(1, -90)]]), before = series(['modem1 rsrp_dbm', [flat(1, -80)]]);
	const { lines } = linesOf(RSRP, [MODEMS[0]], ORDER, now, before, plain);
	assert.deepEqual(lines.map(line => [line.label, !!line.earlier]), [['wan1', false], ['wan1, before', true]]);
});

test('a table has the least, the mean and the greatest of each of its rows, and no more rows than one reads', () => {
	const points = Array.from({ length: 480 }, (_, at) => [60 * (at + 1), at, at + 1, at + 2]);
	const { spanS, rows } = thinned([{ points }], 0, 28800, 60);
	assert.equal(spanS, 600);
	assert.equal(rows.length, 48);
	assert.deepEqual(rows[0], { start: 0, cells: [[0, 5.5, 11]] });
	const gap = thinned([{ points: [flat(60, 1), [120, null, null, null], flat(28800, 3)] }], 0, 28800, 60);
	assert.deepEqual(gap.rows.map(row => row.start), [0, 28200]);
});

test('a table of counted things adds', () => {
	const { rows } = thinned([{ bars: true, points: [flat(0, 2), flat(3600, 3), flat(86400, 1)] }], 0, 86400 * 96, 3600);
	assert.deepEqual(rows.slice(0, 1), [{ start: 0, cells: [[6, 6, 6]] }]);
});

test('data used is stacked an interface and a day of UTC', () => {
	const rows = [
		{ day: '2026-01-02', sim: 'a', modem: 'modem1', interface: 'wwan0', rx_bytes: 5, tx_bytes: 1 },
		{ day: '2026-01-01', sim: 'a', modem: 'modem1', interface: 'wwan0', rx_bytes: 2, tx_bytes: 1 },
		{ day: '2026-01-01', sim: 'b', modem: 'modem1', interface: 'wwan0', rx_bytes: 3, tx_bytes: 0 },
		{ day: '2026-01-01', sim: 'b', modem: 'gone', interface: 'wwan9', rx_bytes: 9, tx_bytes: 9 }
	];
	const [received, sent] = usageBars(rows, MODEMS, ORDER, plain);
	assert.deepEqual([received.label, sent.label], ['wan1 wwan0 ↓', 'wan1 wwan0 ↑']);
	assert.deepEqual(received.points.map(point => [point[0] - Date.parse('2026-01-01') / 1000, point[2]]), [[0, 5], [86400, 5]]);
	assert.equal(received.stack, sent.stack);
	assert.deepEqual(daysOf(1767225600, 1767312000), { from: '2026-01-01', to: '2026-01-01' });
});

test('an hour has the bytes that its averages make', () => {
	const found = series(['modem1 rx_bits_per_s', [flat(3540, 800), flat(3600, 800), flat(3660, 80), [3720, null, null, null]]]);
	const [bars] = hourBars([MODEMS[0]], ORDER, found, plain);
	assert.deepEqual(bars.points.map(point => [point[0], point[2]]), [[0, 12000], [3600, 600]]);
});

test('events are counted in the spans that the router chose', () => {
	const chart = { kinds: [['denied', 'refused'], ['failover', '']] };
	const answer = { start: 600, bucket_s: 60, counts: [{ modem: 'modem1', kind: 'denied', values: [1, 2] }] };
	const { lines } = countBars(chart, answer, MODEMS, ORDER, plain);
	assert.deepEqual(lines.map(line => [line.label, line.points.map(point => [point[0], point[2]])]), [['wan1 refused', [[600, 1], [660, 2]]]]);
});

test('a cell has one colour wherever it comes again; unknown times have none', () => {
	const lanes = lanesOf('cell', MODEMS, new Map([
		['modem1 cell', [{ from: 0, to: 1, value: 'a' }, { from: 1, to: 2, value: null }, { from: 2, to: 3, value: 'b' }, { from: 3, to: 4, value: 'a' }]],
		['modem2 cell', [{ from: 0, to: 4, value: 'b' }]]
	]), value => `cell ${value}`);
	assert.deepEqual(lanes.map(lane => lane.map(one => one.colour)), [[0, null, 1, 0], [1]]);
	assert.equal(lanes[0][0].text, 'cell a');
});

test('a service that was off is told from a modem that was silent', () => {
	const off = new Map([['modem1 state', [{ from: 0, to: 10, value: null }]]]);
	assert.equal(wasOff([MODEMS[0]], off, 0, 10), true);
	assert.equal(wasOff([MODEMS[0]], new Map([['modem1 state', [{ from: 0, to: 5, value: null }, { from: 5, to: 10, value: 'online' }]]]), 0, 10), false);
	assert.equal(wasOff([MODEMS[0]], new Map(), 0, 10), true);
});

test('a few requests run at once, and those that nobody wants any more are not sent', async () => {
	let running = 0, most = 0;
	const sent = [], waiting = [];
	const asking = new Asking(path => new Promise(resolve => {
		sent.push(path);
		most = Math.max(most, ++running);
		waiting.push(() => { running -= 1; resolve(path); });
	}));
	asking.begin();
	const first = ['a', 'b', 'c', 'd', 'e'].map(path => asking.ask(path));
	const isLast = asking.begin();
	const second = asking.ask('f');
	while (waiting.length) {
		waiting.shift()();
		await new Promise(resolve => setImmediate(resolve));
	}
	assert.deepEqual(await Promise.all(first), [null, null, null, null, null]);
	assert.equal(await second, 'f');
	assert.deepEqual(sent, ['a', 'b', 'c', 'f']);
	assert.equal(most, 3);
	assert.equal(isLast(), true);
});

test('an error is an answer with its sentence', async () => {
	const asking = new Asking(() => Promise.reject(new Error('the router is busy')));
	asking.begin();
	assert.deepEqual(await asking.ask('x'), { error: 'the router is busy' });
});

test('marks of a period that has too many are those of the rare kinds', async () => {
	const asked = [];
	const asking = new Asking((path, { query }) => {
		asked.push(query.kind === undefined);
		return Promise.resolve({ events: [{ id: 1, kind: 'reboot' }], next: query.kind ? null : 7 });
	});
	asking.begin();
	assert.deepEqual(await eventsOf(asking, { from: 0, to: 3600 }), { list: [{ id: 1, kind: 'reboot' }], isRare: true });
	assert.deepEqual(asked, [true, true, true, false]);
});

test('numbers and names of days are those of the language', () => {
	const time = Date.UTC(2026, 0, 5, 12) / 1000;
	useLocale('de');
	assert.equal(number(-1.26, 1), '−1,3');
	assert.match(tick(time, 3 * 86400), /^Mo \d\d:00$/);
	useLocale('ar-EG');
	assert.equal(number(-12.5, 1), '−١٢٫٥');
	useLocale('no such_language');
	assert.equal(number(-0.04, 1), '0.0');
	useLocale('en');
	assert.match(tick(time, 30 * 86400), /^Mon \d Jan$/);
});
