/** What may stand where the cursor is: keys, tests, links, criteria. No elements here. */

import { JOINS, START, lookAt } from './policies-lexer.js';
import { msg } from './words.js';

const PERSISTENCES = [['none', msg('each flow anew')], ['source', msg('a device keeps its link')], ['destination', msg('a server keeps its link')], ['source_destination', msg('a device keeps its link towards a server')]];
const SNIPPETS = [{ insert: 'policy name {\n  match: \n  route: \n}\n', label: 'policy', help: msg('a new policy') }, { insert: 'set name { }\n', label: 'set', help: msg('addresses under a name, used as @name') }];
const QUOTED = /[^A-Za-z0-9_.-]/;

const quoted = text => `"${text.replace(/(["\\])/g, '\\$1')}"`;
const bare = text => QUOTED.test(text) || !text ? quoted(text) : text;
const plain = (names = []) => names.map(name => typeof name === 'string' ? { insert: name, label: name, help: '' } : { insert: name.insert || name.word || name.name || name.code, label: name.word || name.name || name.code, help: name.help || name.title || '' });

/** Values by the word before them, as far as they are known. */
function valuesOf(word, words) {
	switch (word) {
		case 'link': case 'connection': return (words.links || []).map(link => ({ insert: word === 'connection' ? quoted(link.name) : bare(link.name), label: link.name, help: link.title || '' }));
		case 'application': case 'app': return (words.applications || []).map(one => ({ insert: one.name || one, label: one.name || one, help: one.help || one.title || '' }));
		case 'country': case 'destination_country': case 'router_country': return [...(words.countries || []).map(one => ({ insert: one.code || one, label: one.code || one, help: one.name || '' })), ...(word === 'router_country' ? [] : [{ insert: 'router_country', label: 'router_country', help: '' }])];
		case 'protocol': return plain(words.protocols || ['tcp', 'udp', 'icmp', 'RTP', 'quic']);
		case 'day': case 'days': case 'time': return plain(words.days || ['mon-fri', 'sat/sun', 'weekdays', 'weekend', '08:00-18:00', '22:00-06:00']);
		case 'dscp': return plain(['ef', 'af41', 'cs5', 'cs1', 'le']);
		case 'interface': return plain(words.devices || ['br-lan']);
		case 'is': return plain(words.link_states || ['up', 'degraded', 'portal', 'down', 'usable', 'unusable', 'roaming', 'capped']);
		default: return null;
	}
}

function inCall(word, words) {
	switch (word) {
		case 'prefer_connection': return plain(words.criteria);
		case 'balance': return plain(words.algorithms);
		case 'prefer_carrier': return [{ insert: 'local', label: 'local', help: '' }, ...(words.carriers || []).map(name => ({ insert: bare(name), label: name, help: '' }))];
		case 'prefer_tag': return (words.tags || []).map(name => ({ insert: bare(name), label: name, help: '' }));
		default: return [];
	}
}

/** The value of a statement at whose `tokens` (those since its key) the cursor is. */
function ofStatement(statement, tokens, words) {
	const last = tokens.at(-1), isAfterOne = !last || (last.kind === 'mark' && [',', '('].includes(last.text)) || JOINS.includes(last.text.toLowerCase());
	switch (statement) {
		case 'match': {
			if (isAfterOne)
				return [...plain(words.match), { insert: 'not ', label: 'not', help: '' }];
			if (last.kind === 'mark' && ['==', '!='].includes(last.text))
				return valuesOf(tokens.at(-2)?.text.toLowerCase() || '', words) || [];
			const values = last.kind === 'word' ? valuesOf(last.text.toLowerCase(), words) : null;
			if (values)
				return values;
			return tokens.at(-2)?.text.toLowerCase() === 'link' ? plain(['is', 'latency', 'loss', 'remaining']) : plain(['and', 'or']);
		}
		case 'route': case 'fallback': {
			if (last?.text === '(')
				return inCall(tokens.at(-2)?.text.toLowerCase(), words);
			if (last?.text.toLowerCase() === 'connection')
				return valuesOf('connection', words);
			return isAfterOne ? plain(words.route) : [];
		}
		case 'priority': return tokens.length ? [] : plain(words.priorities || ['highest', 'high', 'normal', 'low', 'lowest']);
		case 'class': return tokens.length ? [] : plain(['interactive', 'bulk']);
		case 'enabled': return tokens.length ? [] : plain(['yes', 'no']);
		case 'persistence': return tokens.length ? [] : PERSISTENCES.map(([name, help]) => ({ insert: name, label: name, help }));
		case 'dscp': return tokens.length ? [] : valuesOf('dscp', words);
		default: return [];
	}
}

/**
 * What fits at `caret`: {from, to, items: [{insert, label, help}]}. `words` is the answer of `policies/vocabulary`.
 * Without a word begun, something is offered only where one is due.
 */
export function suggestions(text, caret, words) {
	const before = text.slice(0, caret), lines = before.split('\n'), line = lines.pop();
	let state = START, tokens = [], block = '';
	const since = []; // of the statement that the cursor is in
	const take = (found, after) => {
		for (const token of found) {
			if (token.look === 'declaration')
				block = token.text.toLowerCase();
			if (token.look === 'key' || token.text === '{' || token.text === '}')
				since.length = 0;
			else if (token.kind !== 'comment' && !(token.kind === 'mark' && token.text === ':'))
				since.push(token);
		}
		state = after;
	};
	for (const one of lines) {
		const looked = lookAt(one, state);
		take(looked.tokens, looked.state);
	}
	const none = { from: caret, to: caret, items: [] }, looked = lookAt(line, state);
	({ tokens } = looked);
	const last = tokens.at(-1);
	if (last?.kind === 'comment' || (last?.kind === 'bad' && last.text !== '"'))
		return none;
	const isOpenText = last?.kind === 'bad' || (tokens.at(-2)?.kind === 'bad' && tokens.at(-2).text === '"' && last.to === line.length);
	const opening = isOpenText ? tokens.findLast(token => token.kind === 'bad' && token.text === '"') : null;
	const begun = opening ? line.slice(opening.from + 1) : last?.kind === 'word' && last.to === line.length ? last.text : '';
	const from = opening ? caret - (line.length - opening.from) : caret - begun.length;
	const done = opening ? tokens.filter(token => token.to <= opening.from) : begun ? tokens.slice(0, -1) : tokens;
	const isFresh = !done.length;
	const startState = state;
	take(done, looked.state);
	const { depth } = done.reduce((now, token) => ({ depth: token.text === '{' && token.kind === 'mark' ? now.depth + 1 : token.text === '}' && token.kind === 'mark' ? Math.max(0, now.depth - 1) : now.depth }), startState);
	let statement = done.findLast(token => token.look === 'key')?.text.toLowerCase() ?? startState.statement;
	if (done.some(token => token.text === '{' && token.kind === 'mark') && !done.some(token => token.look === 'key'))
		statement = '';
	let items;
	if (depth === 0)
		items = since.length && ['policy', 'set'].includes(since.at(-1)?.text.toLowerCase()) ? [] : SNIPPETS;
	else if (block === 'set')
		items = since.at(-1)?.text.toLowerCase() === 'file' ? (words.files || []).map(name => ({ insert: quoted(name), label: name, help: '' })) : [{ insert: 'file ', label: 'file', help: msg('addresses from a file of the router') }];
	else {
		const goesOn = [',', '('].includes(since.at(-1)?.text) || JOINS.includes(since.at(-1)?.text.toLowerCase());
		const keys = (words.fields?.length ? words.fields : []).map(one => ({ insert: `${one.word || one.name}: `, label: one.word || one.name, help: one.help || '' }));
		items = !statement || (isFresh && since.length && !goesOn) ? keys : ofStatement(statement, since, words);
	}
	const low = begun.toLowerCase();
	items = items.filter(item => item.label.toLowerCase().startsWith(low) && item.label.toLowerCase() !== low).slice(0, 40);
	return { from, to: caret, items };
}
