/** The policies in the order in which a new flow asks them: what each takes, where it sends it, how often it did. */

import { el, fill, setText } from './dom.js';
import { bytes, count } from './format.js';
import { ExplainBox } from './policies-explain.js';
import { blocksOf, reordered } from './policies-lexer.js';
import { ProblemList } from './policies-problems.js';
import { ORIGINS, openText, percentText } from './policies-words.js';
import { Reorder } from './reorder.js';

const SAVE_MS = 900;
const CONFIRM_S = 90;

class PolicyRow {
	constructor(ctx, policy) {
		const { t, options } = ctx;
		Object.assign(this, { _ctx: ctx, policy });
		this.place = el('span');
		const canMove = !options.readonly && policy.from === 'text';
		this.grip = canMove ? el('button.remsim-grip.remsim-linkrow-grip', { type: 'button' }, el('span', { 'aria-hidden': 'true' }, '⠿ '), this.place) : el('span.remsim-linkrow-grip', {}, this.place);
		this.name = el('h3');
		this.dot = el('span', { 'aria-hidden': 'true' });
		this.open = el('span.remsim-muted');
		this.from = el('span.remsim-mode', { hidden: true });
		this.match = el('dd.remsim-mono');
		this.route = el('dd.remsim-mono');
		this.hits = el('b');
		this.share = el('span.remsim-muted');
		this.bar = el('progress.remsim-hitbar', { max: 100, 'aria-hidden': 'true' });
		this.carried = el('span.remsim-muted');
		this.root = el('li.remsim-policyrow', { 'data-name': policy.name }, this.grip,
			el('div.remsim-policyrow-what', {}, el('header', {}, this.name, el('span', {}, this.dot, ' ', this.open), this.from), el('dl.remsim-policysays', {}, el('div', {}, el('dt', {}, t('match')), this.match), el('div', {}, el('dt', {}, t('route')), this.route))),
			el('div.remsim-policyrow-hits', {}, el('span', {}, this.hits, ' ', this.share), this.bar, this.carried));
	}

	update(policy, place) {
		const { t, address, store, data } = this._ctx, areOff = data.view?.state === 'off', isAsked = policy.is_open && !areOff, [word, look] = openText(policy, store.now(), t, areOff), isText = policy.from === 'text' || policy.from === 'remote';
		this.policy = policy;
		setText(this.place, String(place));
		this.grip.setAttribute?.('aria-label', t('%s, place %s: move it with the arrow keys', policy.name, place));
		const key = `${policy.name} ${policy.line} ${isText}`;
		if (key !== this._key)
			fill(this.name, isText ? el('a', { href: address('text', { line: policy.line || 1 }) }, policy.name) : policy.name);
		this._key = key;
		this.root.classList.toggle('remsim-policyrow-closed', !isAsked);
		setText(this.open, word);
		setText(this.dot, isAsked ? '●' : '○');
		this.dot.className = `remsim-quality-${look}`;
		this.from.hidden = !ORIGINS[policy.from];
		setText(this.from, ORIGINS[policy.from] ? t(ORIGINS[policy.from]) : '');
		setText(this.match, policy.match || '');
		setText(this.route, policy.route || '');
		setText(this.hits, policy.hits === 1 ? t('1 flow') : t('%s flows', count(policy.hits)));
		setText(this.share, percentText(policy.hits_percent));
		this.bar.value = policy.hits_percent || 0;
		setText(this.carried, [policy.flows ? t('%s now', count(policy.flows)) : '', policy.rx_bytes || policy.tx_bytes ? bytes((policy.rx_bytes || 0) + (policy.tx_bytes || 0)) : ''].filter(Boolean).join(' · '));
	}
}

export class ListTab {
	constructor(ctx) {
		const { t, options, address } = ctx;
		Object.assign(this, { _ctx: ctx, _rows: new Map() });
		this.list = el('ol.remsim-policylist', { 'aria-label': t('Policies in the order in which they are asked') });
		this.moved = el('p.remsim-said', { role: 'status' });
		this.rest = el('p.remsim-help');
		this.warnings = new ProblemList(t, t('Warnings'), one => one.line ? [el('a', { href: address('text', { line: one.line }) }, t('Line %s', one.line)), `: ${one.message}`] : one.message);
		this.none = el('div.remsim-nothing', { hidden: true }, el('p', {}, el('strong', {}, t('There is no policy.'))), el('p', {}, t('All traffic is shared by the links as “Sharing” says. A policy sends some of it elsewhere: calls over the steadiest link, backups over the cheapest, at night, by country.')),
			options.readonly ? null : el('div.remsim-tools', {}, el('a.remsim-button.remsim-primary', { href: address('text') }, t('Write one')), el('a.remsim-button', { href: address('text', { presets: 1 }) }, t('Begin with an example'))));
		this.panel = el('section.remsim-panel', { 'aria-label': t('Policies'), hidden: true }, el('h2.remsim-said', {}, t('Policies in the order in which they are asked')), this.warnings.root, this.list, this.rest, this.moved);
		this.explain = new ExplainBox(ctx);
		this.root = el('div.remsim-policysplit', {}, el('div.remsim-stack', {}, this.none, this.panel), this.explain.root);
		if (!options.readonly)
			this._order = new Reorder(this.list, (names, name) => this._moved(names, name));
	}

	destroy() {
		clearTimeout(this._timer);
	}

	tick() {
		if (!this._order?.isActive)
			this._rows.forEach(row => row.update(row.policy, [...this.list.children].indexOf(row.root) + 1));
	}

	update() {
		const { data, t } = this._ctx, { policies, view } = data;
		this.none.hidden = policies.length > 0;
		this.panel.hidden = !policies.length;
		const warned = JSON.stringify(view.warnings);
		if (warned !== this._warned)
			this.warnings.show([], view.warnings || []);
		this._warned = warned;
		setText(this.rest, policies.some(policy => policy.from === 'text') && this._order ? t('The first that fits decides; what none takes is shared by all links. Drag a policy by its grip, or move it with the arrow keys: its text moves too.') : t('The first that fits decides; what none takes is shared by all links.'));
		if (this._order?.isActive || this._wanted)
			return;
		const kept = new Map();
		policies.forEach((policy, at) => {
			const key = `${policy.from} ${policy.name}`, row = this._rows.get(key) || new PolicyRow(this._ctx, policy);
			kept.set(key, row);
			row.update(policy, at + 1);
			if (this.list.children[at] !== row.root)
				this.list.insertBefore(row.root, this.list.children[at] || null);
		});
		for (const [key, row] of this._rows) {
			if (!kept.has(key))
				row.root.remove();
		}
		this._rows = kept;
	}

	/** Another order: told at once, written a moment later, when no further key follows. */
	_moved(names, name) {
		const { t } = this._ctx;
		this._wanted = names;
		setText(this.moved, t('%s is now %s of %s.', name, names.indexOf(name) + 1, names.length));
		this.tick();
		clearTimeout(this._timer);
		this._timer = setTimeout(() => this._write(names, name), SAVE_MS);
	}

	async _write(names, name) {
		const { t, request, data, said, failed } = this._ctx;
		try {
			const text = reordered(data.view.text, inFile(data.view.text, names));
			if (text === null)
				throw new Error(t('The text has a form in which policies cannot be moved here: two begin in one line, or have one name. Move them by hand.'));
			const looked = await request('policies/check', { method: 'POST', body: { text } });
			const got = (looked.policies || []).filter(policy => names.includes(policy.name)).map(policy => policy.name);
			if (looked.ok && got.length === names.length && got.join('\n') !== names.join('\n'))
				throw new Error(t('%s stays where it is: “priority” decides before the order in the text. Change that.', name));
			await data.apply(text, CONFIRM_S);
			said(t('The order is in force.'));
		} catch (error) {
			failed(error);
		}
		if (this._wanted !== names)
			return;
		await data.load();
		this._wanted = null;
		this.update();
	}
}

/** Names in the wanted order; what the text has besides (a policy that is switched off) stays at its place. */
function inFile(text, names) {
	const all = blocksOf(text).filter(block => block.kind === 'policy').map(block => block.name), wanted = [...names];
	return all.map(name => names.includes(name) ? wanted.shift() : name);
}
