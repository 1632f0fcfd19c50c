/** What is known of remote SIMs and how it is said: `node --test tests/browser/js`. */

import assert from 'node:assert/strict';
import test from 'node:test';

import { RemoteData, mapPath } from '../../../htdocs/remsim/remote-data.js';
import { bankSlotName, clientLook, clientSentence, clientTitle, serves, slotOf } from '../../../htdocs/remsim/remote-words.js';
import { Store } from '../../../htdocs/remsim/store.js';

const plain = (text, ...values) => text.replace(/%s/g, () => String(values.shift()));

/** Data that has answered once with `view`; `asked` counts the requests. */
async function dataOf(view) {
	const state = { asked: 0, shown: 0 };
	const data = new RemoteData({ request: async () => { state.asked += 1; return view; } }, new Store(), () => { state.shown += 1; });
	await data.load();
	return { data, state };
}

test('a slot is two numbers, all else is none', () => {
	assert.deepEqual(slotOf('5:0'), [5, 0]);
	for (const text of ['5', '5:', 'a:b', '5:0:1', '', null, undefined])
		assert.equal(slotOf(text), null);
	assert.equal(bankSlotName('1:2', plain), 'bank 1, slot 2');
	assert.equal(bankSlotName('nonsense', plain), 'nonsense');
});

test('a client says what it has and since when, also in a state that is not known here', () => {
	const now = Date.parse('2026-01-01T01:00:00Z') / 1000, since = '2026-01-01T00:00:00Z';
	assert.equal(clientSentence({ state: 'remote', bank_slot: '1:2', since }, now, plain), 'Uses its remote card: bank 1, slot 2, since 1\u202fh');
	assert.equal(clientSentence({ state: 'unassigned', bank_slot: '1:2' }, now, plain), 'No card is assigned');
	assert.equal(clientSentence({ state: 'another' }, now, plain), 'State not known');
	assert.deepEqual(['remote', 'connecting', 'local', 'unassigned', 'another'].map(state => clientLook({ state })), ['ok', 'busy', 'problem', 'off', 'off']);
});

test('without its process no card reaches a modem, whatever was told last', () => {
	const stopped = { state: 'remote', process: { running: false, stopped: true } };
	assert.equal(serves(stopped), false);
	assert.equal(clientLook(stopped), 'off');
	assert.equal(clientLook({ state: 'remote', process: { running: false } }), 'problem');
	assert.equal(clientSentence(stopped, 0, plain), 'Does not run');
	assert.deepEqual(['remote', 'connecting', 'unknown'].map(state => serves({ state, process: null })), [true, false, null]);
});

test('a client is named by its modem, else by itself, else by its slot', () => {
	const store = new Store();
	store.takeState({ id: 1, modems: [{ id: 'modem1', name: 'Roof' }] });
	assert.equal(clientTitle({ modem: 'modem1', name: 'client1', client_slot: '5:0' }, store, plain), 'Roof (5:0)');
	assert.equal(clientTitle({ modem: 'gone', name: 'client1', client_slot: '5:0' }, store, plain), 'client1 (5:0)');
	assert.equal(clientTitle({ modem: null, name: null, client_slot: '5:0' }, store, plain), 'client 5:0');
});

test('of two maps of a client the one at the server counts, and a bank of another server is another bank', async () => {
	const map = (server, bank, slot, state) => ({ server, bank_id: bank, bank_slot: slot, client_id: 5, client_slot: 0, state });
	const { data } = await dataOf({ slotmaps: [map('a', 1, 1, null), map('b', 1, 2, 'ACTIVE')], banks: [{ server: 'a', bank_id: 1 }, { server: 'b', bank_id: 1 }] });
	assert.equal(data.mapOf('5:0').bank_slot, 2);
	assert.equal(data.mapOf('6:0'), null);
	assert.equal(data.mapAt(data.banks[0], 2), null);
	assert.equal(data.mapAt(data.banks[1], 2).state, 'ACTIVE');
	assert.deepEqual(mapPath(data.maps[1], '/adopt'), ['remote-sim/slotmaps/1:2/adopt', { server: 'b' }]);
});

test('nothing is set up where there is no server, no client and no orchestrator', async () => {
	for (const [view, isSetUp] of [[{}, false], [{ server: { reachable: null }, clients: [{ client_slot: '9:0', configured: false }] }, false], [{ ionmesh: { state: 'refused' } }, true], [{ server: { name: 'main', reachable: false } }, true]])
		assert.equal((await dataOf(view)).data.isSetUp, isSetUp);
});

test('a burst of events asks once, others not at all', async () => {
	const { data, state } = await dataOf({});
	for (const kind of ['slotmap', 'remote_sim', 'remsim_server', 'cell_change'])
		data.happened({ kind });
	await new Promise(resolve => { setTimeout(resolve, 1200); });
	assert.equal(state.asked, 2);
	data.happened({ kind: 'cell_change' });
	assert.equal(data._timer, null);
	data.destroy();
});

test('what was known stays when the service does not answer, and is told', async () => {
	const answers = [{ clients: [{ client_slot: '5:0' }] }, null];
	const data = new RemoteData({ request: async () => { const answer = answers.shift(); if (!answer) throw new Error('no answer'); return answer; } }, new Store(), () => {});
	await data.load();
	await data.load();
	assert.equal(data.error.message, 'no answer');
	assert.equal(data.clients.length, 1);
});
