/** The text of policies cut, completed, moved about and compared: `node --test tests/browser/js`. */

import assert from 'node:assert/strict';
import test from 'node:test';

import { suggestions } from '../../../htdocs/remsim/policies-complete.js';
import { differences, shortened } from '../../../htdocs/remsim/policies-diff.js';
import { START, blocksOf, lookAt, reordered, withPreset } from '../../../htdocs/remsim/policies-lexer.js';
import { openText, problemText, targetOf } from '../../../htdocs/remsim/policies-words.js';
import { moved } from '../../../htdocs/remsim/reorder.js';

const TEXT = `# about this file

# one
policy a {
  match: port 443, SNI *.example.com
  route: prefer_connection(lowest_latency)
}

set kids { 192.168.1.2 }
# two, in two lines
policy "b c" { match: all
  route: connection "x" }

policy d { match: all route: any }
`;
const WORDS = {
	match: [{ word: 'port', insert: 'port ' }, { word: 'link', insert: 'link ' }], fields: [{ word: 'match' }, { word: 'route' }], route: [{ word: 'connection', insert: 'connection ' }, { word: 'prefer_connection', insert: 'prefer_connection(' }],
	criteria: [{ name: 'lowest_latency' }], algorithms: [{ name: 'adaptive' }], links: [{ name: 'wan1', title: 'Fibre' }, { name: 'a b' }], tags: [], carriers: ['Example'], countries: [], applications: [], files: ['a b.txt', 'listed.txt']
};
const offered = text => suggestions(text, text.length, WORDS).items.map(item => item.insert);

test('a problem of a section stands in no line', () => {
	const t = (text, ...values) => values.reduce((made, value) => made.replace('%s', value), text);
	assert.equal(problemText({ line: 2, column: 3, message: 'it is wrong', expected: [] }, t), 'Line 2, column 3: it is wrong.');
	assert.equal(problemText({ line: 0, column: 0, message: 'guests: it is wrong', expected: [] }, t), 'guests: it is wrong.');
});

test('each word has the look of what it is there', () => {
	const looks = (line, state = START) => lookAt(line, state).tokens.map(token => [token.text, token.look]);
	assert.deepEqual(looks('policy port { # x'), [['policy', 'declaration'], ['port', 'name'], ['{', 'mark'], ['# x', 'comment']]);
	const inside = lookAt('policy p {', START).state;
	assert.deepEqual(looks('match: port 80/443 and not SNI "a\\"b"', inside), [['match', 'key'], [':', 'mark'], ['port', 'test'], ['80/443', 'number'], ['and', 'join'], ['not', 'join'], ['SNI', 'test'], ['a"b', 'string']]);
	assert.deepEqual(looks('rout: any "open', inside).map(([, look]) => look), ['bad', 'mark', 'word', 'bad', 'word']);
	assert.deepEqual(looks('file "x.txt", 192.0.2.1', inside), [['file', 'test'], ['x.txt', 'string'], [',', 'mark'], ['192.0.2.1', 'number']]);
	assert.deepEqual(looks('source fe80::1, ::1', { ...inside, statement: 'match' }).map(([text]) => text), ['source', 'fe80::1', ',', '::1']);
});

test('policies move with the comments right above them, and all else stays', () => {
	assert.deepEqual(blocksOf(TEXT).map(({ name, from, to }) => [name, from, to]), [['a', 2, 6], ['kids', 8, 8], ['b c', 9, 11], ['d', 13, 13]]);
	const other = reordered(TEXT, ['b c', 'd', 'a']);
	assert.ok(other.startsWith('# about this file\n\n# two, in two lines\npolicy "b c"'));
	assert.ok(other.includes('set kids { 192.168.1.2 }\npolicy d'));
	assert.equal(reordered(other, ['a', 'b c', 'd']), TEXT);
	assert.equal(reordered(TEXT, ['a', 'd']), null);
	assert.equal(reordered('policy a { } policy b { }', ['b', 'a']), null);
	assert.deepEqual(moved(['a', 'b', 'c'], 'a', 2), ['b', 'c', 'a']);
});

test('an example is put before what takes everything', () => {
	const made = withPreset(TEXT, 'policy new {\n  match: port 1\n}\n');
	assert.ok(made.text.includes('}\n\nset kids { 192.168.1.2 }\npolicy new {'));
	assert.equal(made.text.split('\n')[made.line], 'policy new {');
	assert.ok(withPreset(TEXT, 'policy rest { match: all }').text.endsWith('route: any }\n\npolicy rest { match: all }\n'));
	assert.deepEqual(withPreset('', 'policy x { }'), { text: 'policy x { }\n', line: 0 });
});

test('what is offered fits the place', () => {
	assert.deepEqual(offered('po').map(text => text.slice(0, 6)), ['policy']);
	assert.deepEqual(offered('policy a {\n  '), ['match: ', 'route: ']);
	assert.deepEqual(offered('policy a {\n  match: port 4\n  '), ['match: ', 'route: ']);
	assert.deepEqual(offered('policy a {\n  match: port 4,\n  '), ['port ', 'link ', 'not ']);
	assert.deepEqual(offered('policy a { match: link '), ['wan1', '"a b"']);
	assert.deepEqual(offered('policy a { match: link wan1 is deg'), ['degraded']);
	assert.deepEqual(offered('policy a { route: prefer_connection('), ['lowest_latency']);
	assert.deepEqual(offered('policy a { route: connection "w'), ['"wan1"']);
	assert.deepEqual(offered('policy a { match: all # po'), []);
	assert.deepEqual(offered('policy po'), []);
	assert.deepEqual(offered('set a {\n  192.0.2.1, f'), ['file ']);
	assert.deepEqual(offered('set a { file '), ['"a b.txt"', '"listed.txt"']);
	assert.deepEqual(offered('set a { file "li'), ['"listed.txt"']);
	assert.deepEqual(offered('set a { file "listed.txt" }\npolicy b {\n  '), ['match: ', 'route: ']);
});

test('a comparison shows what changed with what is around it', () => {
	const rows = differences('a\nb\nc\nd\ne\nf\ng', 'a\nB\nc\nd\ne\nf\ng\nh');
	assert.deepEqual(shortened(rows, 1).map(row => row && row.kind[0] + row.text), ['sa', 'gb', 'nB', 'sc', null, 'sg', 'nh']);
	assert.deepEqual(shortened(differences('x\ny', 'x\ny')), []);
});

test('what stands in a browser’s bar is a host and a port', () => {
	assert.deepEqual(targetOf(' https://www.example.com/watch?v=1 '), { port: 443, domain: 'www.example.com' });
	assert.deepEqual(targetOf('192.0.2.1:8080'), { port: 8080, destination: '192.0.2.1' });
	assert.deepEqual(targetOf('http://[2001:db8::1]:81/'), { port: 81, destination: '2001:db8::1' });
	assert.deepEqual(targetOf('2001:db8::1'), { destination: '2001:db8::1' });
	assert.equal(targetOf('  '), null);
});

test('while links are off no policy is asked', () => {
	const policy = { is_open: true, is_enabled: true, closes_at: null }, t = text => text;
	assert.deepEqual(openText(policy, 0, t), ['asked now', 'good']);
	assert.deepEqual(openText(policy, 0, t, true), ['not asked now', 'none']);
	assert.deepEqual(openText({ ...policy, is_enabled: false }, 0, t, true), ['switched off', 'none']);
});
