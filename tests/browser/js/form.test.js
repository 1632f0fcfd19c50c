/** What forms refuse, send and show: `node --test tests/browser/js`. */

import assert from 'node:assert/strict';
import test from 'node:test';

import { pitchHz, placeOf } from '../../../htdocs/remsim/aim.js';
import { bareMessage, choicesOf, complaint, complaints, isDigits, isSame, kindOf, limitsOf, valueOf } from '../../../htdocs/remsim/form-rules.js';
import { Keeper } from '../../../htdocs/remsim/keeper.js';
import { legsOf, lockValues, servingCells, temperatureLook } from '../../../htdocs/remsim/modem-signal.js';
import { threadsOf } from '../../../htdocs/remsim/modem-sms.js';
import { Store } from '../../../htdocs/remsim/store.js';
import { plain } from '../../../htdocs/remsim/words.js';

const PIN = { type: 'string', minLength: 4, maxLength: 8, pattern: '^(?:[0-9]+)$', 'x-told': 'is not 4 to 8 digits', format: 'password' };
const PERIOD = { type: 'integer', minimum: 1, maximum: 60, 'x-unit': 's' };
const MODE = { oneOf: [{ const: 'a', title: 'A' }, { const: 'b', title: 'B' }] };
const BANDS = { type: 'array', items: { oneOf: [{ const: 1, title: 'B1' }, { const: 3, title: 'B3' }] }, minItems: 1 };

test('every kind of field has its own input', () => {
	const many = { oneOf: [1, 2, 3, 4, 5].map(value => ({ const: value, title: `${value}` })) };
	assert.deepEqual([PIN, PERIOD, MODE, many, BANDS, { type: 'boolean' }, { type: 'string', maxLength: 1530 }, { type: 'string' }, { enum: ['x'] }].map(kindOf),
		['secret', 'number', 'radios', 'select', 'several', 'flag', 'long', 'text', 'radios']);
	assert.deepEqual(choicesOf({ enum: ['x'] }), [{ const: 'x', title: 'x' }]);
	assert.equal(isDigits(PIN), true);
	assert.equal(isDigits({ type: 'string', pattern: '^(?:[a-z]+)$' }), false);
});

test('a range and a length are told beside the field', () => {
	assert.equal(limitsOf(PERIOD, plain), '1 to 60\u202fs');
	assert.equal(limitsOf(PIN, plain), '4 to 8 digits');
	assert.equal(limitsOf({ type: 'string' }, plain), '');
});

test('what the service would refuse is refused here in its words', () => {
	assert.equal(complaint(PERIOD, 61, false, plain), 'is not a whole number from 1 to 60');
	assert.equal(complaint(PERIOD, 1.5, false, plain), 'is not a whole number from 1 to 60');
	assert.equal(complaint({ ...PERIOD, type: 'number' }, 'x', false, plain), 'is not a number from 1 to 60');
	assert.equal(complaint(PIN, '12', true, plain), 'has not 4 to 8 characters');
	assert.equal(complaint(PIN, 'abcd', true, plain), 'is not 4 to 8 digits');
	assert.equal(complaint(BANDS, [], false, plain), 'needs at least 1');
	assert.equal(complaint(MODE, undefined, true, plain), 'is needed');
	assert.equal(complaint({ type: 'string', maxLength: 3 }, '😀😀😀', false, plain), null);
	assert.deepEqual(complaints({ required: ['pin'], properties: { pin: PIN, period: PERIOD } }, { period: 5 }, plain), { pin: 'is needed' });
});

test('an empty field that is not needed is left out; one with a value in force is sent empty', () => {
	assert.equal(valueOf({ type: 'string' }, ''), undefined);
	assert.equal(valueOf({ type: 'string', default: 'x' }, ''), '');
	assert.equal(valueOf(PERIOD, ''), undefined);
	assert.equal(valueOf({ type: 'number' }, '1,5'), 1.5);
	assert.equal(valueOf(PERIOD, 'five'), 'five');
});

test('a message at its field does not name the field again', () => {
	assert.equal(bareMessage('pin: is wrong', 'pin'), 'is wrong');
	assert.equal(bareMessage('pin: is wrong', null), 'pin: is wrong');
	assert.equal(bareMessage('eth9.device: is taken', 'device'), 'is taken');
	assert.equal(bareMessage('it needs a pin: that of the card', 'pin'), 'it needs a pin: that of the card');
});

test('lists are the same in any order', () => {
	assert.equal(isSame([1, 3], [3, 1]), true);
	assert.equal(isSame([1], [1, 3]), false);
	assert.equal(isSame('', undefined), true);
});

test('a cell becomes the choice of the form, or what one would type', () => {
	const fields = { lte_cells: { items: { oneOf: [{ const: '300:250' }] } }, nr_cell: { oneOf: [{ const: '' }, { const: '636666:550:30:78' }] } };
	assert.deepEqual(lockValues({ rat: 'LTE', earfcn: 300, pci: 250 }, fields), { off: false, lte_cells: ['300:250'] });
	assert.deepEqual(lockValues({ rat: 'LTE', earfcn: 300, pci: 251 }, fields), { off: false, more_lte_cells: '300:251' });
	assert.deepEqual(lockValues({ rat: 'NR', arfcn: 636666, pci: 550 }, fields), { off: false, nr_cell: '636666:550:30:78' });
});

test('a reading has one leg, or two where 5G runs beside LTE', () => {
	assert.deepEqual(legsOf({ mode: 'NSA' }), ['LTE', 'NR']);
	assert.deepEqual(legsOf({ mode: 'SA' }), ['SA']);
	assert.deepEqual(legsOf({ mode: 'UMTS' }), ['UMTS']);
	assert.deepEqual(legsOf(null), []);
	assert.deepEqual(servingCells({ mode: 'NSA', rat: 'LTE', pci: 1, nr_pci: 2 }).map(cell => cell.rat), ['LTE', 'NR']);
	assert.deepEqual(servingCells({ mode: 'LTE', pci: null, nr_pci: null }), []);
});

test('a temperature is warm by the modem’s own limits only', () => {
	assert.equal(temperatureLook(99, {}).word, '');
	assert.equal(temperatureLook(80, { temperature_limits_c: { high_warning: 75, high_critical: 90 } }).word, 'warm');
	assert.equal(temperatureLook(91, { temperature_limits_c: { high_warning: 75, high_critical: 90 } }).word, 'critical');
	assert.equal(temperatureLook(40, { temperature_state: 'High Warning' }).word, 'warm');
});

test('messages stand by whom they are with, the newest conversation first', () => {
	const at = minute => new Date(1.7e12 + minute * 60000).toISOString();
	const threads = threadsOf([{ number: 'a', at: at(5), is_unread: true }, { number: 'b', at: at(9) }, { number: 'a', at: at(1) }, { number: null, at: null }]);
	assert.deepEqual(threads.map(thread => [thread.number, thread.messages.length, thread.unread]), [['b', 1, 0], ['a', 2, 1], ['', 1, 0]]);
	assert.equal(threads[1].messages[0].at, at(1));
});

test('the tone rises with the value and stays where ears hear it', () => {
	assert.ok(pitchHz(placeOf('rsrp_dbm', -80)) > pitchHz(placeOf('rsrp_dbm', -100)));
	assert.equal(pitchHz(placeOf('rsrp_dbm', -140)), 220);
	assert.ok(pitchHz(placeOf('sinr_db', 40)) < 1300);
});

const job = (id, more = {}) => ({ id, started_at: '2026-01-01T00:00:00Z', state: 'confirming', confirm_by: new Date(Date.now() + 60000).toISOString(), ...more });
const later = ms => new Promise(resolve => { setTimeout(resolve, ms); });

test('a change is kept by the page that asked for it, and by no other', async () => {
	const store = new Store(), asked = [];
	const keeper = new Keeper(store, async path => { asked.push(path); }, { holdOffMs: 1 });
	store.takeJob(job('1'));
	keeper.own(job('2', { state: 'running' }));
	store.takeJob(job('2'));
	await later(15);
	assert.deepEqual(asked, ['jobs/2/confirm']);
	keeper.destroy();
});

test('what the user undoes is not kept', async () => {
	const store = new Store(), asked = [];
	const keeper = new Keeper(store, async path => { asked.push(path); }, { holdOffMs: 5 });
	keeper.own(job('3'));
	await keeper.decide(job('3'), false);
	store.takeJob(job('3'));
	await later(15);
	assert.deepEqual(asked, ['jobs/3/abort']);
	keeper.destroy();
});

test('a job with the number of another life of the service is another job', async () => {
	const store = new Store(), asked = [];
	const keeper = new Keeper(store, async path => { asked.push(path); }, { holdOffMs: 1 });
	keeper.own(job('4', { state: 'running' }));
	store.takeJob(job('4', { started_at: '2026-02-02T00:00:00Z' }));
	await later(10);
	assert.deepEqual(asked, []);
	keeper.destroy();
});
