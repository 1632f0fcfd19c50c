/** What settings are called, and which limits a value is judged by: `node --test tests/browser/js`. */

import assert from 'node:assert/strict';
import test from 'node:test';

import { BANDS, quality, takeLimits } from '../../../htdocs/remsim/quality.js';
import { partsOf, wordsOf } from '../../../htdocs/remsim/settings-words.js';
import { plain } from '../../../htdocs/remsim/words.js';

const TYPES = [{ type: 'web', label: 'Web server', schema: { properties: { listen: { title: 'Listen on' } } } }, { type: 'modem', label: 'Modems', schema: { properties: { name: { title: 'Name' } } } }];

test('a path of the API is a setting by its name', () => {
	const words = path => wordsOf(path, TYPES, plain);
	assert.equal(words('web.listen'), 'Web server: Listen on');
	assert.equal(words('modem[pci-0000:01:00.0].name'), 'Modems pci-0000:01:00.0: Name');
	assert.equal(words('modem[1-1.2]'), 'Modems 1-1.2');
	assert.equal(words('modem[1-1.2]#2.name'), 'Modems 1-1.2: Name');
	assert.equal(words('modem[].colour'), 'Modems: colour');
	assert.equal(words('plugin[mine].key'), 'plugin[mine].key');
	assert.deepEqual(partsOf('<b>'), { kind: '<b>', key: null, option: null });
});

test('what counts as good is what is set on the router, for 5G too', () => {
	const before = { ...BANDS };
	takeLimits({ rsrp_dbm: [-110, -100, -90], of_a_newer_service: [1, 2, 3] });
	assert.equal(quality('rsrp_dbm', -105), 'fair');
	assert.equal(quality('nr_rsrp_dbm', -89), 'excellent');
	assert.equal('of_a_newer_service' in BANDS, false);
	takeLimits(undefined);
	assert.equal(quality('rsrp_dbm', -105), 'fair');
	takeLimits({ rsrp_dbm: before.rsrp_dbm });
	assert.equal(quality('rsrp_dbm', -105), 'poor');
});
