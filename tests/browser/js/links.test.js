/** Links in words. */

import test from 'node:test';
import assert from 'node:assert/strict';
import { choiceText } from '../../../htdocs/remsim/links-words.js';

test('each part of why a ring chose as it did is translated', () => {
	const words = { 'each link alike': 'alle gleich', 'no link is up': 'keine Verbindung' }, t = text => words[text] || text;
	assert.equal(choiceText('each link alike', t), 'alle gleich');
	assert.equal(choiceText('each link alike; IPv4: no link is up', t), 'alle gleich; IPv4: keine Verbindung');
	assert.equal(choiceText('a; b; IPv6: each link alike', t), 'a; b; IPv6: alle gleich');
	assert.equal(choiceText('', t), '');
});
