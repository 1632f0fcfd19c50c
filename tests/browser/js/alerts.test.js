/** Alert rules as forms and sentences: `node --test tests/browser/js`. */

import assert from 'node:assert/strict';
import test from 'node:test';

import { keptSecrets, shownValues } from '../../../htdocs/remsim/kept-secrets.js';
import { titled } from '../../../htdocs/remsim/alert-notify.js';
import { measuresOf, ruleSentence, valueText } from '../../../htdocs/remsim/alert-words.js';
import { complaints, kindOf } from '../../../htdocs/remsim/form-rules.js';
import { formValues, isOfWords, mended, nameOf, narrowed, ruleOf } from '../../../htdocs/remsim/rule-schema.js';
import { plain as t } from '../../../htdocs/remsim/words.js';

const COMPARISONS = ['above', 'below', 'is', 'is_not', 'count_at_least', 'absent'].map(name => ({ const: name, title: name }));
const SCHEMA = {
	required: [],
	properties: {
		label: { type: 'string', minLength: 0, maxLength: 80, title: 'Name' }, source: { oneOf: ['measure', 'state', 'event', 'usage', 'router'].map(name => ({ const: name, title: name })) },
		measure: { type: 'string', minLength: 1, maxLength: 64 }, modem: { type: 'string' }, comparison: { oneOf: COMPARISONS }, threshold: { type: ['number', 'string', 'null'], title: 'Limit' },
		hysteresis: { type: 'number', minimum: 0, maximum: 1e6 }, for_s: { type: 'number', minimum: 0, maximum: 604800, 'x-unit': 's' }, window_s: { type: 'number', minimum: 1, maximum: 604800 },
		severity: { oneOf: [] }, channels: { type: 'array', items: { type: 'string' } }
	},
	'x-measures': {
		measure: [{ const: 'tac', title: 'tac' }, { const: 'temperature_c', title: 'temperature_c' }, { const: 'rsrp_dbm', title: 'rsrp_dbm' }], state: [{ const: 'state', title: 'state', values: ['online', 'searching'] }, { const: 'operator', title: 'operator' }],
		event: [{ const: 'reboot', title: 'a modem restarted' }], usage: [{ const: 'cap_percent', title: 'Data used' }], router: [{ const: 'clock_set', title: 'Clock' }, { const: 'load_percent', title: 'Load' }]
	},
	'x-comparisons': { measure: ['above', 'below', 'is', 'is_not', 'absent'], state: ['is', 'is_not', 'absent'], event: ['count_at_least'], usage: ['above', 'below'], router: ['above', 'below', 'is', 'is_not', 'absent'] }
};
const LISTS = { modems: [{ const: 'modem1', title: 'wan1' }], channels: [] };
const RULE = { label: 'Weak', source: 'measure', measure: 'rsrp_dbm', modem: null, comparison: 'below', threshold: -110, hysteresis: 3, for_s: 300, window_s: 600, severity: 'warning' };
const sources = SCHEMA.properties.source.oneOf.map(one => one.const);

test('each source is offered only what it has', () => {
	const fieldsOf = rule => Object.keys(narrowed(SCHEMA, mended(SCHEMA, rule), LISTS).properties);
	assert.ok(fieldsOf(RULE).includes('hysteresis'));
	assert.ok(!fieldsOf(RULE).includes('window_s'));
	assert.ok(!fieldsOf(RULE).includes('channels')); // none is set up: there is nothing to choose
	assert.ok(!fieldsOf({ ...RULE, comparison: 'absent' }).includes('threshold'));
	assert.ok(fieldsOf({ ...RULE, source: 'event' }).includes('window_s'));
	assert.ok(!fieldsOf({ ...RULE, source: 'router' }).includes('modem'));
	assert.deepEqual(narrowed(SCHEMA, RULE, LISTS).properties.measure.oneOf.map(one => one.title), ['RSRP', 'Temperature', 'Tracking area']);
});

test('from any source to any other a rule stays one that the form can show and send', () => {
	for (const from of sources) {
		for (const to of sources) {
			const rule = mended(SCHEMA, { ...mended(SCHEMA, { ...RULE, source: from }), source: to });
			const schema = narrowed(SCHEMA, rule, LISTS), { properties } = schema;
			assert.ok(SCHEMA['x-measures'][to].some(one => one.const === rule.measure), `${from} ${to}`);
			assert.ok(properties.comparison.oneOf.some(one => one.const === rule.comparison), `${from} ${to}`);
			assert.ok(typeof rule.threshold !== 'number' || !isOfWords(rule), `${from} ${to}`);
			const wrong = complaints(schema, { ...formValues(schema, rule), threshold: properties.threshold.type === 'array' ? ['searching'] : 1 }, t);
			assert.deepEqual(wrong, {}, `${from} ${to}`);
		}
	}
});

test('words are chosen as a list and sent as the API has them', () => {
	const rule = mended(SCHEMA, { ...RULE, source: 'state', measure: 'state', comparison: 'is', threshold: 'searching,online' }), schema = narrowed(SCHEMA, rule, LISTS);
	assert.equal(kindOf(schema.properties.threshold), 'several');
	const values = formValues(schema, rule);
	assert.deepEqual(values.threshold, ['searching', 'online']);
	assert.equal(ruleOf(values).threshold, 'searching,online');
	assert.equal(ruleOf({ ...values, modem: '' }).modem, null);
	assert.equal(ruleOf({ comparison: 'absent', threshold: 5 }).threshold, null);
});

test('a rule without a limit is not sent', () => {
	const schema = narrowed(SCHEMA, RULE, LISTS);
	assert.deepEqual(Object.keys(complaints(schema, { ...RULE, modem: '', threshold: undefined }, t)), ['threshold']);
	assert.equal(complaints(schema, { ...RULE, threshold: 'low' }, t).threshold, 'is not a number');
});

test('a rule is a sentence', () => {
	const names = new Map([['modem1', 'wan1']]), say = rule => ruleSentence({ ...RULE, ...rule }, SCHEMA['x-measures'], names, t);
	assert.equal(say({}), 'RSRP below −110\u202fdBm for 5\u202fmin, any modem');
	assert.equal(say({ modem: 'modem1', for_s: 0, days: ['sat', 'sun'], from_time: '08:00', to_time: '20:00' }), 'RSRP below −110\u202fdBm, only wan1, Sat Sun, from 08:00 to 20:00');
	assert.equal(say({ source: 'state', measure: 'state', comparison: 'is', threshold: 'no_sim,failed' }), 'State is No SIM or Out of order for 5\u202fmin, any modem');
	assert.equal(say({ source: 'event', measure: 'reboot', comparison: 'count_at_least', threshold: 3, for_s: 0, window_s: 3600 }), 'Restarted at least 3 times within 1\u202fh, any modem');
	assert.equal(say({ source: 'usage', measure: 'cap_percent', comparison: 'above', threshold: 80, for_s: 0 }), 'Data used of the cap above 80\u202f%');
	assert.equal(say({ source: 'router', measure: 'clock_set', comparison: 'is', threshold: 'no', for_s: 600 }), 'The clock is not set for 10\u202fmin');
	assert.equal(say({ comparison: 'absent', threshold: null, for_s: 60 }), 'RSRP is not known for 1\u202fmin, any modem');
});

test('values have their unit, states their words, and what is unknown a dash', () => {
	assert.equal(valueText(-117.25, 'dBm', t), '−117.3\u202fdBm');
	assert.equal(valueText('searching,online', '', t), 'Searching for a network or Online');
	assert.equal(valueText(null, 'dBm', t), '–');
	assert.equal(valueText('<b>', '', t), '<b>');
	assert.equal(measuresOf('nothing', undefined).length, 0);
});

test('a name for UCI comes from any label and is never taken twice', () => {
	assert.equal(nameOf('Zu heiß: Módem 1!', []), 'zu_hei_modem_1');
	assert.equal(nameOf('信号', ['rule']), 'rule_2');
	assert.equal(nameOf('Weak', ['weak', 'weak_2']), 'weak_3');
	assert.match(nameOf('x'.repeat(200), []), /^x{28}$/);
});

test('a secret that is set is not asked for again and not sent empty', () => {
	const schema = { required: ['password', 'host'], properties: { host: { type: 'string' }, password: { type: 'string', format: 'password', description: 'Of the server' } } };
	const channel = { name: 'mail', host: 'h', password: { set: true }, port: null };
	assert.deepEqual(keptSecrets(schema, channel).required, ['host']);
	assert.match(keptSecrets(schema, channel).properties.password.description, /stays/);
	assert.deepEqual(keptSecrets(schema, { ...channel, password: { set: false } }).required, ['password', 'host']);
	assert.deepEqual(shownValues(channel), { name: 'mail', host: 'h' });
});

test('the count in the title comes and goes', () => {
	assert.equal(titled('remsim: Alerts', 2), '(2) remsim: Alerts');
	assert.equal(titled('(2) remsim: Alerts', 13), '(13) remsim: Alerts');
	assert.equal(titled('(13) remsim: Alerts', 0), 'remsim: Alerts');
});

test('a list of free texts is lines', () => {
	const property = { type: 'array', items: { type: 'string' }, maxItems: 2 };
	assert.equal(kindOf(property), 'lines');
	assert.deepEqual(complaints({ required: ['to'], properties: { to: property } }, { to: [] }, t), { to: 'is needed' });
	assert.deepEqual(complaints({ required: ['to'], properties: { to: property } }, { to: ['a', 'b', 'c'] }, t), { to: 'has more than 2 lines' });
});
