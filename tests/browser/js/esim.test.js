/** What is said of cards, codes and failures, and what is shown of jobs: `node --test tests/browser/js`. */

import assert from 'node:assert/strict';
import test from 'node:test';

import { EsimData } from '../../../htdocs/remsim/esim-data.js';
import { decisionLook, narrowed, ruleValues } from '../../../htdocs/remsim/esim-rule-schema.js';
import { endOf, failureOf, partsOf, sentence, stepsOf } from '../../../htdocs/remsim/esim-words.js';
import { Store } from '../../../htdocs/remsim/store.js';

const plain = (text, ...values) => text.replace(/%s/g, () => String(values.shift()));
const jobOf = (id, state, more = {}) => ({ id, kind: 'esim-download', modem: 'modem1', state, started_at: new Date(Date.now() - 9000).toISOString(), ended_at: ['running', 'asking'].includes(state) ? null : new Date().toISOString(), ...more });

/** Data whose every POST begins a job of this kind. */
function dataOf(begun = {}) {
	const store = new Store(), own = new Set(), asked = [];
	const request = async (path, how) => { asked.push([path, how?.body]); return jobOf('new', 'running', begun); };
	const data = new EsimData({ request }, store, { own: job => own.add(job.id), isOwn: job => own.has(job.id) }, () => {});
	return { data, store, own, asked };
}

test('a known failure is told in the page’s words, with what was added and the numbers in brackets', () => {
	const { text, hint, raw, act } = failureOf({ code: 'code_unknown', error: 'the activation code is unknown, already used, or meant for another device (8.2.6/3.8)' }, plain);
	assert.deepEqual([text, raw, act], ['The activation code is unknown, already used, or meant for another device.', '8.2.6/3.8', 'other']);
	assert.equal(hint, 'Ask the operator for a new activation code.');
	assert.equal(failureOf({ code: 'smdp_unreachable', error: 'the operator\'s server cannot be reached: no route to host' }, plain).raw, 'no route to host');
});

test('an unknown failure is told as the service says it', () => {
	const { text, hint, act } = failureOf({ code: 'whatever', error: 'modem1 is busy: reading', hint: 'wait' }, plain);
	assert.deepEqual([text, hint, act], ['Modem1 is busy: reading.', 'Wait.', 'again']);
	assert.equal(failureOf({}, plain).text, 'It failed.');
	assert.equal(sentence(null), '');
});

test('steps go on, also past one that is not known, and all are done at the end', () => {
	const now = stepsOf({ kind: 'esim-download', state: 'running', step: 'fetching the profile' });
	assert.deepEqual([now.rows[6].look, now.rows[7].look, now.rows[8].look], ['done', 'now', 'later']);
	assert.equal(stepsOf({ kind: 'esim-download', state: 'running', step: 'something else' }, now.at).at, now.at);
	assert.ok(stepsOf({ kind: 'esim-download', state: 'done', step: 'loading the profile' }).rows.every(row => row.look === 'done'));
	assert.deepEqual(stepsOf({ kind: 'esim-read', state: 'running', step: 'opening the card' }).rows, []);
	assert.deepEqual(stepsOf({ kind: 'esim-download', state: 'failed', step: 'asking for the profile' }).rows.map(row => row.look).slice(3, 6), ['done', 'failed', 'later']);
	assert.deepEqual(stepsOf({ kind: 'esim-switch', state: 'failed', step: 'telling the operator' }).rows, []);
	assert.ok(!stepsOf({ kind: 'esim-switch', state: 'running', step: 'switching' }).rows.some(row => row.step === 'setting the access point'));
});

test('a code comes apart into what it says, also inside a link', () => {
	assert.deepEqual(partsOf('lpa:1$rsp.example.com$ABC').map(part => part.text), ['rsp.example.com', 'ABC']);
	assert.deepEqual(partsOf('https://x.example/?carddata=LPA:1%24rsp.example.com%24ABC%24%241').map(part => part.name), ['smdp_address', 'matching_id', 'confirmation_code_required']);
	assert.deepEqual(partsOf('https://x.example/?carddata=%E0%A4%A').map(part => part.text), ['', '']);
	assert.deepEqual(partsOf('nonsense').map(part => part.text), ['', '']);
	assert.equal(endOf('•••••0137'), '…\u20600137');
	assert.equal(endOf(null), '');
});

test('what runs is shown before what has ended, what ended only to who asked for it, until it is put aside', () => {
	const { data, store, own } = dataOf();
	store.jobs.set('a', jobOf('a', 'failed'));
	assert.equal(data.jobAt('modem1'), null);
	own.add('a');
	assert.equal(data.jobAt('modem1').id, 'a');
	store.jobs.set('b', jobOf('b', 'asking', { started_at: new Date(Date.now() - 60000).toISOString() }));
	assert.equal(data.jobAt('modem1').id, 'b');
	assert.equal(data.jobAt('modem2'), null);
	store.jobs.delete('b');
	data.close({ id: 'a' });
	assert.equal(data.jobAt('modem1'), null);
});

test('a reading that went well is not told of, one that failed is', () => {
	const { data, store, own } = dataOf();
	own.add('a');
	store.jobs.set('a', jobOf('a', 'done', { kind: 'esim-read' }));
	assert.equal(data.jobAt('modem1'), null);
	store.jobs.set('a', jobOf('a', 'failed', { kind: 'esim-read' }));
	assert.equal(data.jobAt('modem1').id, 'a');
});

test('what a download was begun with can be sent again, but not its confirmation code', async () => {
	const { data, asked } = dataOf();
	const job = await data.download('modem1', { code: 'LPA:1$a.example$B', confirmation_code: '1234' });
	assert.deepEqual(asked[0], ['esim/modem1/downloads', { code: 'LPA:1$a.example$B', confirmation_code: '1234' }]);
	assert.deepEqual(data.sentFor(job), { code: 'LPA:1$a.example$B', holder: 'modem1' });
	data.destroy();
});

const FORM = {
	required: ['modem', 'profile'], 'x-fields': { no_service: ['for_s'], usage: ['threshold', 'for_s'], country: ['countries'] }, 'x-profiles': { modem1: [{ const: 'sim-1', title: 'Home' }] },
	properties: { name: {}, label: { type: 'string' }, modem: { type: 'string' }, profile: { type: 'string' }, only_from: { type: 'string' }, when: { default: 'no_service' }, threshold: { type: 'number', minimum: -200 }, for_s: { type: 'number', default: 300, maximum: 9 }, countries: { type: 'array' } }
};

test('a rule’s form has what its reason needs, and profiles by their names', () => {
	const holders = [{ id: 'modem1', name: 'Roof', profiles: [] }, { id: 'modem2', name: 'Van', profiles: [{ id: 'sim-2', name: 'Travel' }] }];
	const home = narrowed(FORM, { when: 'no_service', modem: 'modem1', profile: 'sim-9' }, holders);
	assert.deepEqual(Object.keys(home.properties), ['label', 'modem', 'profile', 'only_from', 'when', 'for_s']);
	assert.deepEqual(home.properties.profile.oneOf.map(one => one.const), ['sim-1', 'sim-9']);
	assert.equal(home.properties.for_s.maximum, undefined);
	const van = narrowed(FORM, { when: 'usage', modem: 'modem2' }, holders);
	assert.deepEqual(van.properties.profile.oneOf, [{ const: 'sim-2', title: 'Travel' }]);
	assert.deepEqual([van.properties.threshold['x-unit'], van.properties.threshold.minimum], ['%', undefined]);
	assert.ok(van.required.includes('threshold') && !home.required.includes('threshold'));
	assert.ok(narrowed(FORM, { when: 'country', modem: 'modem2' }, holders).required.includes('countries'));
	assert.deepEqual(ruleValues(FORM, { modem: 'modem1', for_s: null }), { when: 'no_service', for_s: 300, modem: 'modem1' });
	assert.deepEqual(['switched', 'failed', 'waits'].map(decisionLook), ['remsim-good', 'remsim-problem', 'remsim-muted']);
});
