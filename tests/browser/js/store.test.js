/** What the page knows and how it says it: `node --test tests/browser/js`. */

import assert from 'node:assert/strict';
import test from 'node:test';

import { queryText } from '../../../htdocs/remsim/api.js';
import { roomyMarks, statistics, takeLive } from '../../../htdocs/remsim/charts.js';
import { Store } from '../../../htdocs/remsim/store.js';
import { bandText, stateLook, stateSentence } from '../../../htdocs/remsim/words.js';

const plain = (text, ...values) => text.replace(/%s/g, () => String(values.shift()));
const at = second => new Date(1.7e12 + second * 1000).toISOString();
const loaded = () => {
	const store = new Store();
	store.takeState({ id: 1, at: at(0), modems: [{ id: 'modem1', reading: null }] });
	return store;
};

test('a reading twice is one, and an older one is none', () => {
	const store = loaded();
	for (const [id, second] of [[2, 1], [3, 2], [3, 2], [2, 1]])
		store.takeReading({ id, modem: 'modem1', at: at(second) });
	assert.equal(store.history.get('modem1').length, 2);
	assert.equal(store.lastId, 3);
});

test('a clock set back begins the history anew instead of standing still', () => {
	const store = loaded();
	store.takeReading({ id: 2, modem: 'modem1', at: at(5000) });
	store.takeReading({ id: 3, modem: 'modem1', at: at(10) });
	assert.deepEqual(store.history.get('modem1').map(row => row.t), [1.7e9 + 10]);
});

test('a router with a new life is followed from its own first id', () => {
	const store = loaded();
	store.takeState({ id: 50000, at: at(1), modems: [], events: [{ id: 49999, at: at(1) }] });
	store.takeState({ id: 12, at: at(2), modems: [], events: [{ id: 11, at: at(2) }] });
	assert.equal(store.lastId, 12);
	assert.deepEqual(store.events.map(event => event.id), [11]);
});

test('rows since a time are those after it, oldest first', () => {
	const store = loaded();
	for (let second = 1; second <= 5; second++)
		store.takeReading({ id: second + 1, modem: 'modem1', at: at(second) });
	assert.deepEqual(store.since('modem1', 1.7e9 + 3).map(row => row.t), [1.7e9 + 4, 1.7e9 + 5]);
	assert.deepEqual(store.since('unknown', 0), []);
});

test('statistics are of what is known; nothing known gives none', () => {
	const points = [[0, -100, -95, -90], [10, null, null, null], [20, -80, -75, -70], [30, -90, -85, -80]];
	assert.deepEqual(statistics(points), { min: -100, max: -70, avg: -85, median: -85, p95: -75 });
	assert.equal(statistics([[0, null, null, null]]), null);
});

test('the state is a sentence with technology, bands and since when', () => {
	const reading = { mode: 'NSA', band: 3, nr_band: 78 };
	assert.equal(bandText(reading), 'B3 + n78');
	assert.equal(stateSentence({ state: 'online', state_since: at(0), reading }, 1.7e9 + 8040, plain),
		'Online on LTE + 5G, B3 + n78, since 2\u202fh 14\u202fmin');
	assert.equal(stateSentence({ state: 'sim_pin', state_since: at(0), reading: null }, 1.7e9 + 40, plain), 'SIM PIN wanted, since 40\u202fs');
	assert.equal(stateLook('sim_pin'), 'problem');
});

test('a query leaves out what is unknown and escapes the rest', () => {
	assert.equal(queryText({ modem: null, range: undefined }), '');
	assert.equal(queryText({ modem: 'a&b', points: 0 }), '?modem=a%26b&points=0');
});

test('the time without a connection is counted from its beginning, whatever each try says', () => {
	const store = loaded(), clock = Date.now;
	try {
		Date.now = () => 1e12;
		store.setLink('reconnecting');
		assert.equal(store.isCutOff(), false);
		Date.now = () => 1e12 + 4000;
		store.setLink('reconnecting', 'no answer');
		assert.equal(store.link.since, 1e9);
		assert.equal(store.isCutOff(), true);
		store.setLink('live');
		assert.equal(store.isCutOff(), false);
	} finally {
		Date.now = clock;
	}
});

test('where marks have no room the rare ones are kept', () => {
	const events = ['cell_change', 'technology_change', 'disconnect', 'cell_change'].map((kind, t) => ({ t, event: { kind } }));
	const kept = width => roomyMarks(events, time => time === 9 ? null : time * 5, width).map(mark => mark.event.kind);
	assert.deepEqual(kept(20), ['disconnect']);
	assert.deepEqual(kept(10), ['disconnect', 'cell_change']);
	assert.equal(kept(5).length, 4);
	assert.deepEqual(roomyMarks(events, () => null, 5), []);
});

test('live values join the span that is still open, as the server would average them', () => {
	const line = { points: [[10, -90, -90, -90]] };
	for (const [time, value] of [[11, -100], [12, null], [13, -80], [20, -90], [21, -70], [22.5, -72]])
		takeLive(line, time, value, 10);
	assert.deepEqual(line.points, [[10, -90, -90, -90], [20, -100, -90, -80], [22.5, -72, -71, -70]]);
	const each = { points: [] };
	[1, 2, 3].forEach(time => takeLive(each, time, time === 2 ? null : -90, 1));
	assert.deepEqual(each.points.map(point => point[2]), [-90, null, -90]);
});

test('a store keeps of a reading what it is told to, and as many rows', () => {
	const store = new Store({ history: 3, keep: ({ rsrp_dbm }) => ({ rsrp_dbm }) });
	store.takeState({ id: 1, at: at(0), modems: [{ id: 'modem1', reading: null }] });
	for (let second = 1; second <= 5; second++)
		store.takeReading({ id: second + 1, modem: 'modem1', at: at(second), rsrp_dbm: -90 });
	assert.deepEqual(store.history.get('modem1').map(row => row.reading), Array(3).fill({ rsrp_dbm: -90 }));
	assert.equal(store.modems.get('modem1').reading.modem, 'modem1');
});
