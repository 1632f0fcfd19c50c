/** The language of policies cut into pieces, for colours and completion: the same cuts as policies/language/lexer.py makes. No elements here. */

const BLANK = '\\t\\v\\f\\r \\x1c-\\x1f\\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000';
const PIECE = new RegExp(`(#[^\\n]*)|"((?:[^"\\\\\\n]|\\\\[^\\n])*)"|([^\\n${BLANK}{}(),"#<>=!]+)|([=!<>]=|[{}(),<>=])|([^\\n${BLANK}])`, 'gu');
const KEY = /^([A-Za-z_]+):(.*)$/su;

export const STATEMENTS = ['match', 'route', 'fallback', 'priority', 'class', 'limit', 'dscp', 'queue', 'persistence', 'enabled'];
export const TESTS = ['all', 'any', 'source', 'src', 'destination', 'dst', 'interface', 'port', 'destination_port', 'dport', 'source_port', 'sport', 'protocol', 'dscp', 'domain', 'sni', 'host', 'application', 'app',
	'country', 'destination_country', 'router_country', 'time', 'day', 'days', 'download_rate', 'upload_rate', 'flow_size', 'packet_size', 'link'];
export const JOINS = ['and', 'or', 'not'];
export const ROUTES = ['connection', 'prefer_connection', 'prefer_carrier', 'prefer_tag', 'balance', 'balance_by_remaining_data', 'cheapest_overage_rate', 'any', 'next', 'block'];

/** Where a line begins: `depth` of braces, the `statement` it goes on with, the word before. */
export const START = Object.freeze({ depth: 0, statement: '', before: '' });

/** The tokens of one line: [{kind: word|string|mark|comment|bad, text, from, to}]. */
export function tokensOf(line) {
	const found = [];
	for (const match of line.matchAll(PIECE)) {
		const { index: from } = match, to = from + match[0].length;
		if (match[1] !== undefined)
			found.push({ kind: 'comment', text: match[1], from, to });
		else if (match[2] !== undefined)
			found.push({ kind: 'string', text: match[2].replace(/\\([^\n])/gu, '$1'), from, to });
		else if (match[3] !== undefined)
			found.push(...wordsOf(match[3], from));
		else
			found.push({ kind: match[4] !== undefined ? 'mark' : 'bad', text: match[0], from, to });
	}
	return found;
}

/** A word without the colon that makes it a key; those of times and addresses stay in it. */
function wordsOf(text, from) {
	const token = (kind, part, at) => ({ kind, text: part, from: from + at, to: from + at + part.length });
	const key = KEY.exec(text);
	if (key && (!key[2] || (STATEMENTS.includes(key[1].toLowerCase()) && key[2] !== ':')))
		return [token('word', key[1], 0), token('mark', ':', key[1].length), ...(key[2] ? [token('word', key[2], key[1].length + 1)] : [])];
	if (text[0] === ':' && text[1] !== ':')
		return [token('mark', ':', 0), ...(text.length > 1 ? [token('word', text.slice(1), 1)] : [])];
	return [token('word', text, 0)];
}

/** The line's tokens with a `look` each (key, test, route, join, name, declaration, number, …), and where the next line begins. */
export function lookAt(line, state) {
	const tokens = tokensOf(line);
	let { depth, statement, before } = state;
	tokens.forEach((token, at) => {
		const { kind, text } = token, low = text.toLowerCase(), isKey = kind === 'word' && tokens[at + 1]?.kind === 'mark' && tokens[at + 1].text === ':';
		token.look = kind;
		if (kind === 'mark') {
			if (text === '{')
				depth += 1;
			if (text === '}') {
				depth = Math.max(0, depth - 1);
				statement = '';
			}
		} else if (kind === 'word' || kind === 'string') {
			if (depth === 0)
				token.look = ['policy', 'set'].includes(before) ? 'name' : ['policy', 'set'].includes(low) && kind === 'word' ? 'declaration' : kind;
			else if (isKey) {
				statement = low;
				token.look = STATEMENTS.includes(low) ? 'key' : 'bad';
			} else if (kind === 'word')
				token.look = lookOf(low, statement);
		}
		if (kind !== 'comment')
			before = kind === 'mark' ? text : low;
	});
	return { tokens, state: { depth, statement, before } };
}

function lookOf(word, statement) {
	if (statement === 'match' && JOINS.includes(word))
		return 'join';
	if (statement === 'match' && TESTS.includes(word))
		return 'test';
	if (['route', 'fallback'].includes(statement) && ROUTES.includes(word))
		return 'route';
	if (!statement && word === 'file') // in a set
		return 'test';
	return /^[\d@*.?-]/.test(word) ? 'number' : 'word';
}

/** Whole blocks of a text in their order: [{name, kind: policy|set, from, to}], lines from 0, comments right above them included. */
export function blocksOf(text) {
	const lines = text.split('\n'), blocks = [];
	let state = START, open = null, comments = null;
	lines.forEach((line, at) => {
		const { tokens, state: after } = lookAt(line, state), real = tokens.filter(token => token.kind !== 'comment');
		if (!open && state.depth === 0) {
			const declared = real.findIndex(token => token.look === 'declaration');
			if (declared >= 0) {
				open = { kind: real[declared].text.toLowerCase(), name: real[declared + 1]?.text || '', from: comments ?? at, to: at };
				comments = null;
			} else if (tokens.length && !real.length)
				comments ??= at;
			else
				comments = null;
		} else if (open && !open.name)
			open.name = real[0]?.look === 'name' ? real[0].text : '';
		if (open && after.depth === 0 && real.some(token => token.text === '}' && token.kind === 'mark')) {
			blocks.push({ ...open, to: at });
			open = null;
		}
		state = after;
	});
	return blocks;
}

/** A text with its policies in the order of `names`; what else is in it stays where it is. Null when they are not all of them. */
export function reordered(text, names) {
	const lines = text.split('\n'), blocks = blocksOf(text).filter(block => block.kind === 'policy'), found = new Map(blocks.map(block => [block.name, block]));
	if (found.size !== blocks.length || names.length !== blocks.length || names.some(name => !found.has(name)))
		return null;
	if (blocks.some((block, at) => at && block.from <= blocks[at - 1].to))
		return null; // two in one line
	const made = [];
	let at = 0;
	blocks.forEach((block, place) => {
		const { from, to } = found.get(names[place]);
		made.push(...lines.slice(at, block.from), ...lines.slice(from, to + 1));
		at = block.to + 1;
	});
	return [...made, ...lines.slice(at)].join('\n');
}

/** The text with one policy taken out, with the comments above it and one empty line. */
export function without(text, name) {
	const lines = text.split('\n'), block = blocksOf(text).find(one => one.kind === 'policy' && one.name === name);
	if (!block)
		return text;
	const more = lines[block.to + 1]?.trim() === '' ? 2 : 1;
	lines.splice(block.from, block.to - block.from + more);
	return lines.join('\n');
}

/** A text with policies put in: before the first that takes everything, unless they do so themselves; else at the end. `line` from 0. */
export function withPreset(text, preset) {
	const takesAll = /\bmatch\s*:\s*(?:all|any)\b/i, lines = text.split('\n'), added = preset.replace(/\s+$/, '').split('\n');
	const last = takesAll.test(preset) ? null : blocksOf(text).find(block => block.kind === 'policy' && takesAll.test(lines.slice(block.from, block.to + 1).join('\n')));
	if (last)
		return { text: [...lines.slice(0, last.from), ...added, '', ...lines.slice(last.from)].join('\n'), line: last.from };
	const before = text.replace(/\s+$/, '');
	return { text: `${before ? `${before}\n\n` : ''}${added.join('\n')}\n`, line: before ? before.split('\n').length + 1 : 0 };
}
