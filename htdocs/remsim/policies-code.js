/** A field for the text of policies: coloured by a layer under it, with numbers of lines, marks of what is wrong, and completion. */

import { el, fill, mark, setText } from './dom.js';
import { suggestions } from './policies-complete.js';
import { START, lookAt } from './policies-lexer.js';

const LARGEST = 120_000;
const SHOWN = 8;
const NONE = [];

let fields = 0;

export class CodeField {
	/** `options`: t, label, words() -> vocabulary, changed(), isReadonly. */
	constructor({ t, label, words, changed, isReadonly }) {
		const id = `remsim-code-${++fields}`;
		Object.assign(this, { _t: t, _words: words, _changed: changed, _lines: [], _problems: new Map(), _items: [] });
		this.layer = el('pre.remsim-code-layer', { 'aria-hidden': 'true' });
		this.numbers = el('div.remsim-code-numbers', { 'aria-hidden': 'true' });
		this.list = el('ul.remsim-code-list', { id: `${id}-list`, role: 'listbox', 'aria-label': t('What may stand here'), hidden: true });
		this.count = el('p.remsim-said', { role: 'status' });
		this.area = el('textarea.remsim-code-area', {
			id, 'aria-label': label, 'aria-autocomplete': 'list', 'aria-describedby': `${id}-help`, spellcheck: 'false', autocapitalize: 'off', autocomplete: 'off', autocorrect: 'off', wrap: 'off', rows: 1, readonly: isReadonly,
			input: () => this._typed(), keydown: event => this._key(event), blur: () => this._close(), click: () => this._close(), scroll: () => this._close()
		});
		this.help = el('p.remsim-help', { id: `${id}-help` }, isReadonly ? '' : t('Ctrl + Space shows what may stand here; Tab takes it, Escape closes the list.'));
		this.place = el('div.remsim-code-place', {}, this.layer, this.area, this.list);
		this.scroll = el('div.remsim-code', {}, this.numbers, this.place);
		this.root = el('div.remsim-codefield', {}, this.scroll, this.help, this.count);
		this._draw();
	}

	get value() {
		return this.area.value;
	}

	set value(text) {
		if (this.area.value !== text)
			this.area.value = text;
		this._draw();
	}

	/** Mark what is wrong: {line, column} with `isError`. */
	setProblems(problems) {
		this._problems = new Map();
		for (const one of problems) {
			const known = this._problems.get(one.line) || [];
			this._problems.set(one.line, [...known, one]);
		}
		this._draw();
	}

	/** Bring a place to sight, with the cursor on it; columns count characters. */
	goTo(line, column = 1) {
		const lines = this.value.split('\n'), at = Math.min(Math.max(1, line), lines.length);
		const before = lines.slice(0, at - 1).reduce((sum, one) => sum + one.length + 1, 0);
		const here = [...lines[at - 1]].slice(0, column - 1).join('').length;
		this.area.focus({ preventScroll: true });
		this.area.setSelectionRange(before + here, before + here);
		this._sight();
		this.scroll.scrollIntoView?.({ block: 'nearest' });
		this.scroll.scrollLeft = 0;
	}

	/** Put text in where the cursor is; the browser's own undo takes it back. */
	insert(text, from = this.area.selectionStart, to = this.area.selectionEnd, caret = from + text.length) {
		this.area.focus({ preventScroll: true });
		this.area.setSelectionRange(from, to);
		if (!document.execCommand('insertText', false, text)) {
			this.area.setRangeText(text, from, to, 'end');
			this._typed();
		}
		this.area.setSelectionRange(caret, caret);
	}

	_typed() {
		this._draw();
		this._sight();
		this._suggest(false);
		this._changed();
	}

	/** Keep the cursor's line away from the edges of what is seen. */
	_sight() {
		const line = this.value.slice(0, this.area.selectionStart).split('\n').length, box = this.scroll, height = parseFloat(getComputedStyle(this.area).lineHeight) || 20, top = (line - 1) * height;
		if (top + 3 * height > box.scrollTop + box.clientHeight)
			box.scrollTop = top + 3 * height - box.clientHeight;
		else if (top < box.scrollTop)
			box.scrollTop = Math.max(0, top - height);
	}

	/** Draw lines that are other ones than before; a very long text is drawn as it is. */
	_draw() {
		const lines = this.value.split('\n'), isPlain = this.value.length > LARGEST;
		if (isPlain)
			this._plain(lines);
		else
			this._coloured(lines);
		this._isPlain = isPlain;
		this.place.style.setProperty('--remsim-lines', lines.length);
		this.place.style.setProperty('--remsim-columns', lines.reduce((most, line) => Math.max(most, line.length), 0) + 2);
	}

	_plain(lines) {
		this._lines = [];
		this.layer.textContent = `${this.value}\n`;
		const marks = [...this._problems].filter(([, problems]) => problems.length).map(([line, problems]) => [line, problems.some(one => one.isError) ? '✖ ' : '▲ ']), by = new Map(marks);
		fill(this.numbers, el('span.remsim-code-plain', {}, lines.map((_, at) => `${by.get(at + 1) || ''}${at + 1}`).join('\n')));
	}

	_coloured(lines) {
		if (this._isPlain) {
			this.layer.replaceChildren();
			this.numbers.replaceChildren();
		}
		let state = START;
		lines.forEach((line, at) => {
			const problems = this._problems.get(at + 1) || NONE, known = this._lines[at];
			if (known && known.line === line && known.before === state && known.problems === problems) {
				state = known.after;
				return;
			}
			const looked = lookAt(line, state);
			const after = known && isSameState(known.after, looked.state) ? known.after : looked.state; // the same one: what follows stays
			const node = known?.node || el('span.remsim-code-line'), number = known?.number || el('span');
			fill(node, this._pieces(line, looked.tokens, problems), '\n');
			const worst = problems.some(one => one.isError) ? 'error' : problems.length ? 'warning' : '';
			number.className = worst ? `remsim-code-${worst}` : '';
			setText(number, `${worst === 'error' ? '✖ ' : worst ? '▲ ' : ''}${at + 1}`);
			if (!known) {
				this.layer.append(node);
				this.numbers.append(number);
			}
			this._lines[at] = { line, before: state, after, problems, node, number };
			state = after;
		});
		for (const { node, number } of this._lines.splice(lines.length)) {
			node.remove();
			number.remove();
		}
	}

	_pieces(line, tokens, problems) {
		const found = [];
		const wrong = problems.map(one => ({ at: [...line].slice(0, one.column - 1).join('').length, isError: one.isError }));
		let at = 0;
		for (const token of tokens) {
			const bad = wrong.find(one => one.at >= token.from && one.at < token.to);
			found.push(line.slice(at, token.from), el(`span.remsim-code-${token.look}${bad ? bad.isError ? '.remsim-code-wrong' : '.remsim-code-odd' : ''}`, {}, line.slice(token.from, token.to)));
			at = token.to;
		}
		found.push(line.slice(at));
		const beyond = wrong.find(one => one.isError && !tokens.some(token => one.at >= token.from && one.at < token.to));
		return beyond ? [...found, el('span.remsim-code-wrong', {}, '\u00a0')] : found;
	}

	/** Show what fits; `isAsked`: also where nothing was begun. */
	_suggest(isAsked) {
		const { selectionStart: caret, selectionEnd: end } = this.area;
		if (caret !== end || this.area.readOnly)
			return this._close();
		const begin = this._blockAt(caret), found = suggestions(this.value.slice(begin), caret - begin, this._words() || {});
		found.from += begin;
		if (!found.items.length || (!isAsked && found.from === caret && !/[(]$/.test(this.value.slice(0, caret))))
			return this._close(isAsked ? this._t('Nothing is offered here.') : '');
		Object.assign(this, { _items: found.items, _from: found.from, _chosen: isAsked ? 0 : -1 });
		const before = this.value.slice(0, found.from).split('\n');
		this.place.style.setProperty('--remsim-line', before.length);
		this.place.style.setProperty('--remsim-column', Math.min(before.at(-1).replaceAll('\t', '  ').length, 60));
		fill(this.list, found.items.map((item, at) => el('li', { role: 'option', id: `${this.list.id}-${at}`, 'aria-selected': 'false', pointerdown: event => { event.preventDefault(); this._take(at); } }, el('b', {}, item.label), item.help ? el('span.remsim-muted', {}, ` ${this._t(item.help)}`) : null)));
		const height = parseFloat(getComputedStyle(this.area).lineHeight) || 20, isLow = before.length * height - this.scroll.scrollTop > this.scroll.clientHeight / 2;
		this.list.classList.toggle('remsim-code-above', isLow); // below it the field ends
		this.list.hidden = false;
		setText(this.count, found.items.length === 1 ? this._t('1 suggestion') : this._t('%s suggestions', found.items.length));
		return this._choose(this._chosen);
	}

	/** Where the block begins in which the cursor is, as far as that is known: nothing before it matters there. */
	_blockAt(caret) {
		let line = this.value.slice(0, caret).split('\n').length - 1;
		while (line > 0 && this._lines[line]?.before.depth !== 0)
			line -= 1;
		return this._lines[line]?.before.depth === 0 ? this.value.split('\n', line).reduce((sum, one) => sum + one.length + 1, 0) : 0;
	}

	_choose(at) {
		this._chosen = at;
		[...this.list.children].forEach((node, place) => node.setAttribute('aria-selected', String(place === at)));
		mark(this.area, 'aria-activedescendant', at >= 0 && `${this.list.id}-${at}`);
		const first = Math.max(0, Math.min(at - SHOWN / 2, this.list.children.length - SHOWN)); // the others come with the arrow keys, or by typing on
		[...this.list.children].forEach((node, place) => { node.hidden = place < first || place >= first + SHOWN; });
	}

	_close(told = '') {
		if (!this.list.hidden || told) {
			this.list.hidden = true;
			this._items = [];
			mark(this.area, 'aria-activedescendant', null);
			setText(this.count, told);
		}
	}

	_take(at) {
		const item = this._items[at], from = this._from, to = this.area.selectionEnd;
		this._close();
		const indent = /^[ \t]*/.exec(this.value.slice(this.value.lastIndexOf('\n', from - 1) + 1))[0], text = item.insert.replace(/\n(?=.)/g, `\n${indent}`), hole = text.indexOf(': \n');
		this.insert(text, from, to, hole >= 0 ? from + hole + 2 : from + text.length);
		if (/[( ]$/.test(text) || hole >= 0)
			this._suggest(true);
	}

	_key(event) {
		const { key } = event, isOpen = !this.list.hidden, plain = !event.ctrlKey && !event.altKey && !event.metaKey;
		const done = () => { event.preventDefault(); event.stopPropagation(); };
		if ((key === ' ' || event.code === 'Space') && event.ctrlKey) {
			done();
			this._suggest(true);
		} else if (isOpen && plain && ['ArrowDown', 'ArrowUp'].includes(key)) {
			done();
			const most = this._items.length;
			this._choose(key === 'ArrowDown' ? (this._chosen + 1) % most : (this._chosen - 1 + most) % most);
		} else if (isOpen && plain && !event.shiftKey && (key === 'Tab' || (key === 'Enter' && this._chosen >= 0))) {
			done();
			this._take(Math.max(0, this._chosen));
		} else if (isOpen && key === 'Escape') {
			done();
			this._close();
		} else if (plain && key === 'Enter' && !this.area.readOnly && !event.isComposing) {
			done();
			const before = this.value.slice(0, this.area.selectionStart), line = before.slice(before.lastIndexOf('\n') + 1);
			this.insert(`\n${/^[ \t]*/.exec(line)[0]}${/\{\s*$/.test(line) ? '  ' : ''}`);
		} else if (plain && key === '}' && !this.area.readOnly) {
			const caret = this.area.selectionStart, begin = this.value.lastIndexOf('\n', caret - 1) + 1, line = this.value.slice(begin, caret);
			if (/^ {2,}$|^\t+$/.test(line)) { // a brace alone closes what is a step to the left
				done();
				this.insert(`${line.replace(/ {2}$|\t$/, '')}}`, begin, this.area.selectionEnd);
			}
		} else if (['ArrowLeft', 'ArrowRight', 'Home', 'End'].includes(key))
			this._close();
	}
}

function isSameState(one, other) {
	return one.depth === other.depth && one.statement === other.statement && one.before === other.before;
}
