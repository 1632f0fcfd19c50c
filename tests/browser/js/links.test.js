/** Links in words. */

import test from 'node:test';
import assert from 'node:assert/strict';
import { choiceText, linkSentence, roomSentence } from '../../../htdocs/remsim/links-words.js';

test('each part of why a ring chose as it did is translated', () => {
	const words = { 'each link alike': 'alle gleich', 'no link is up': 'keine Verbindung' }, t = text => words[text] || text;
	assert.equal(choiceText('each link alike', t), 'alle gleich');
	assert.equal(choiceText('each link alike; IPv4: no link is up', t), 'alle gleich; IPv4: keine Verbindung');
	assert.equal(choiceText('a; b; IPv6: each link alike', t), 'a; b; IPv6: alle gleich');
	assert.equal(choiceText('', t), '');
});

test('why a link is down is translated where it is always said in the same words', () => {
	const t = (text, ...values) => values.reduce((made, value) => made.replace('%s', value), { 'it does not answer': 'er antwortet nicht' }[text] || text);
	assert.equal(linkSentence({ state: 'down', reason: 'it does not answer' }, 0, t), 'No way out: er antwortet nicht.');
	assert.equal(linkSentence({ state: 'down', reason: '5 of 5 probes were lost' }, 0, t), 'No way out: 5 of 5 probes were lost.');
	assert.equal(linkSentence({ state: 'no_device', reason: 'its device is not there' }, 0, t), 'Its device is not there. Plug it in, or correct its settings.');
});

test('without a link that works the page says where new flows go, as the service gives them', () => {
	const t = text => text, said = (links, more = {}) => roomSentence({ links, last_resort: 'keep', ...more }, t);
	assert.match(said([{ state: 'up', cost: { state: 'soft' } }, { state: 'down' }]), /where more data is cheapest/);
	assert.match(said([{ state: 'starting' }, { state: 'down' }]), /being tried out/);
	assert.match(said([{ state: 'down' }, { state: 'no_device' }]), /wait on the links/);
	assert.match(said([{ state: 'no_device' }]), /default way/);
	assert.match(said([{ state: 'down' }], { last_resort: 'unreachable' }), /refused/);
	assert.match(said([{ state: 'off' }]), /switched off/);
});
