/** Numbers, units and words as people read them: `node --test tests/browser/js`. */

import assert from 'node:assert/strict';
import test from 'node:test';

import { bitRate, bitRates, bytes, clock, count, duration, lasting, moment, number, showUtc, sizes, tick, tickStep, withUnit } from '../../../htdocs/remsim/format.js';
import { bars, mainSignal, quality } from '../../../htdocs/remsim/quality.js';
import { Store } from '../../../htdocs/remsim/store.js';

test('unknown is a dash, never a zero', () => {
	for (const shown of [number(null), withUnit(undefined, 'dBm'), bitRate(null), bytes(NaN), duration(null), count(null)])
		assert.equal(shown, '–');
	assert.equal(number(0), '0');
});

test('minus signs are minus signs, and minus zero is zero', () => {
	assert.equal(withUnit(-97, 'dBm'), '−97\u202fdBm');
	assert.equal(number(-0.04, 1), '0.0');
});

test('rates and sizes choose their unit', () => {
	assert.equal(bitRate(41_230_000), '41\u202fMbit/s');
	assert.equal(bitRate(8_300_000), '8.3\u202fMbit/s');
	assert.equal(bitRate(0), '0\u202fbit/s');
	assert.equal(bytes(1_500_000_000), '1.5\u202fGB');
});

test('durations show their two largest units', () => {
	assert.equal(duration(8040), '2\u202fh 14\u202fmin');
	assert.equal(duration(40), '40\u202fs');
	assert.equal(duration(0.2), '0\u202fs');
	assert.equal(lasting(204), '3\u202fmin');
	assert.equal(lasting(59), '59\u202fs');
});

test('ticks are at steps people count in', () => {
	assert.equal(tickStep(3600, 6), 600);
	assert.equal(tickStep(604800, 7), 86400);
});

test('times are local, or UTC on request', () => {
	process.env.TZ = 'Asia/Kolkata';
	const at = Date.parse('2026-11-24T20:15:07Z') / 1000;
	assert.equal(clock(at, true), '01:45:07');
	assert.equal(moment(at, at - 86400), '2026-11-25 01:45:07');
	assert.equal(tick(at, 7 * 86400), 'Wed 01:45');
	assert.equal(tick(at, 30 * 3600), 'Wed 01:45');
	assert.equal(tick(Date.parse('2026-11-24T18:30:00Z') / 1000, 86400), 'Wed 25');
	showUtc(true);
	assert.equal(clock(at), '20:15');
	assert.equal(moment(at, at + 60), '20:15:07');
	assert.equal(tick(at, 30 * 86400), 'Tue 24 Nov');
	showUtc(false);
});

test('quality has a word and bars; unknown has neither', () => {
	assert.equal(quality('rsrp_dbm', -80), 'excellent');
	assert.equal(quality('rsrp_dbm', -101), 'poor');
	assert.equal(quality('rsrp_dbm', null), null);
	assert.equal(bars('rsrp_dbm', -95), 2);
	assert.equal(bars('rsrp_dbm', null), 0);
	assert.equal(mainSignal({ rsrp_dbm: null, rssi_dbm: -60 }).measure, 'rssi_dbm');
	assert.equal(mainSignal({}), null);
});

test('a store keeps bounded rings and forgets modems that are gone', () => {
	const store = new Store();
	const modem = { id: 'modem1', reading: null };
	store.takeState({ modems: [modem], at: '2026-01-01T00:00:00.000Z', id: 1 });
	for (let second = 0; second < 2000; second++)
		store.takeReading({ id: second + 2, modem: 'modem1', at: new Date(1.7e12 + second * 1000).toISOString(), rsrp_dbm: -90 });
	assert.equal(store.history.get('modem1').length, 900);
	for (let id = 0; id < 500; id++)
		store.takeEvent({ id: 5000 + id, at: '2026-01-01T00:00:00.000Z', kind: 'state', source: 'modem1', message: '' });
	assert.equal(store.events.length, 200);
	assert.equal(store.takeEvent({ id: 5499, at: '2026-01-01T00:00:00.000Z' }), false);
	store.takeState({ modems: [], id: 6000 });
	assert.equal(store.history.size, 0);
});

test('two rates share the unit of the larger one', () => {
	assert.equal(bitRates(230e6, 223e3), '230 · 0.22\u202fMbit/s');
	assert.equal(bitRates(8.3e6, 0), '8.3 · 0\u202fMbit/s');
	assert.equal(bitRates(1.2e9, 450e3), '1.2\u202fGbit/s · 450\u202fkbit/s'); // not 0.000
	assert.equal(bitRates(null, 950), '– · 950\u202fbit/s');
	assert.equal(bitRates(null, undefined), '–');
	assert.equal(sizes(302e6, 376e3), '302 · 0.38\u202fMB');
});

test('a rate just below the next digit is not shown with one too many', () => assert.equal(bitRate(9_970_000), '10\u202fMbit/s'));
