/** Rules that switch profiles by themselves: what each would do now and why, what they did, and one of them in its form. */

import { ask } from './ask.js';
import { el, fill, setText } from './dom.js';
import { decisionLook, narrowed, ruleValues } from './esim-rule-schema.js';
import { sentence } from './esim-words.js';
import { FormView } from './form.js';
import { complaints } from './form-rules.js';
import { epoch, lasting, moment, withUnit } from './format.js';
import { nameOf, sendable } from './rule-schema.js';
import { msg } from './words.js';

const AGAIN_MS = 15000;
const PREVIEW_MS = 500;
const DECISIONS = {
	switches: msg('switches now'), would_switch: msg('would switch now'), waits: msg('waits'), holds: msg('the wanted profile is in use'), not_so: msg('not so now'), blocked: msg('held back'), unknown: msg('not known'), off: msg('off'),
	switching: msg('under way'), switched: msg('switched'), by_hand: msg('switched'), failed: msg('failed')
};

export class RulesTab {
	/** `ctx` of esim.js. */
	constructor(ctx) {
		const { t, options } = ctx;
		Object.assign(this, { _ctx: ctx, _askedAt: 0 });
		this.list = el('ul.remsim-plainlist.remsim-esim-codes', { 'aria-label': t('Rules') });
		this.log = el('ul.remsim-plainlist', { 'aria-label': t('What the rules did') });
		this.error = el('p.remsim-problem', { role: 'alert', hidden: true });
		this.place = el('div', { hidden: true });
		this.overview = el('div.remsim-stack', {},
			el('section.remsim-panel', { 'aria-label': t('Rules') }, el('header', {}, el('h2', {}, t('Switching by itself'))), el('p.remsim-help', {}, t('Rules are looked at from the lowest priority number up; the first that wants a switch has it. After each switch of a modem there is a rest, and a rule switches only so often a day. A switch that no network takes goes back.')), this.error, this.list,
				options.readonly ? null : el('div.remsim-submit', {}, el('a.remsim-button.remsim-primary', { href: ctx.address('rules', { rule: '+' }) }, t('New rule')))),
			el('section.remsim-panel', { 'aria-label': t('What the rules did') }, el('header', {}, el('h2', {}, t('What the rules did'))), this.log));
		this.root = el('div', {}, this.overview, this.place);
	}

	/** Called when the tab is shown: `rule` is the one to edit, `+` a new one. */
	async show(asked) {
		this._wanted = asked.get('rule');
		await this.load();
		this._route();
	}

	hidden() {
		clearTimeout(this._timer);
	}

	tick() {
		if (this.place.hidden && this._askedAt && Date.now() - this._askedAt > AGAIN_MS)
			this.load();
	}

	happened(event) {
		if (event.kind.startsWith('esim'))
			this.load();
	}

	async load() {
		this._askedAt = Date.now();
		try {
			this.view = await this._ctx.request('esim/rules');
			this.error.hidden = true;
			this._show();
		} catch (error) {
			this._refuse(error);
		}
	}

	_show() {
		const { t, options, address, data } = this._ctx, { rules, now, log } = this.view, told = JSON.stringify([rules, now, log, data.holders.length]);
		if (told === this._told)
			return;
		this._told = told;
		const profile = id => data.holders.flatMap(one => one.profiles).find(one => one.id === id)?.name || id || t('no profile'), modem = id => data.holder(id)?.name || id;
		fill(this.list, rules.length ? rules.map(rule => {
			const is = now.find(one => one.rule === rule.name);
			return el('li.remsim-esim-code', { 'data-rule': rule.name }, el('div.remsim-esim-what', {},
				el('header', {}, el('h3', {}, rule.label), is ? el(`span.${decisionLook(is.decision)}`, {}, t(DECISIONS[is.decision] || is.decision)) : null, rule.only_tell ? el('span.remsim-mode', {}, t('only writes it down')) : null),
				el('p', {}, t('Switches %s to %s', modem(rule.modem), profile(rule.profile))),
				is?.why ? el('p.remsim-muted', {}, sentence(is.why)) : null,
				is ? el('p.remsim-muted', {}, [Number.isFinite(is.value) && t('now %s', withUnit(is.value, is.unit || '', Number.isInteger(is.value) ? 0 : 1)), is.is_so && is.since && t('so since %s', lasting(this._ctx.store.now() - epoch(is.since))), is.switches_today ? t('switched today: %s', is.switches_today) : ''].filter(Boolean).join(' · ')) : null),
			options.readonly ? null : el('div.remsim-esim-do', {}, el('a.remsim-button', { href: address('rules', { rule: rule.name }), 'aria-label': t('Change: %s', rule.label) }, t('Change')), el('button.remsim-danger', { type: 'button', 'aria-label': t('Delete: %s', rule.label), click: () => this._remove(rule) }, t('Delete'))));
		}) : el('li.remsim-absent', {}, t('There is no rule: profiles are switched by hand only.')));
		fill(this.log, log.length ? log.map(one => el('li.remsim-esim-found', {}, el('time.remsim-muted', {}, moment(epoch(one.at), this._ctx.store.now(), false)), el(`span.${decisionLook(one.decision)}`, {}, t(DECISIONS[one.decision] || one.decision)),
			el('span', {}, [one.label || one.rule, one.to && t('%s: from %s to %s', modem(one.modem), profile(one.from), profile(one.to))].filter(Boolean).join(' · ')), one.why ? el('span.remsim-muted', {}, sentence(one.why)) : null)) : el('li.remsim-absent', {}, t('Nothing yet.')));
	}

	async _route() {
		const { t, request, address } = this._ctx, wanted = this._wanted, before = this.view?.rules.find(one => one.name === wanted) || null, isEditing = !!wanted && (wanted === '+' || !!before);
		this.overview.hidden = isEditing;
		this.place.hidden = !isEditing;
		if (!isEditing)
			return;
		try {
			this._schema ||= await request('esim/rules/form');
		} catch (error) {
			this.overview.hidden = false;
			this._refuse(error);
			return;
		}
		this._before = before;
		this._rule = ruleValues(this._schema, before || { modem: this._ctx.data.targets[0]?.id });
		this.now = el('p.remsim-note', { role: 'status' });
		this.formPlace = el('div');
		fill(this.place, el('section.remsim-panel', { 'aria-label': t('Rule') }, el('header', {}, el('a', { href: address('rules') }, t('‹ All rules')), el('h2', { tabindex: '-1' }, before ? before.label : t('New rule'))), this.now, this.formPlace));
		this._build();
		this.place.querySelector('h2').focus({ preventScroll: true });
	}

	_build(focused = null) {
		const { t, data, options } = this._ctx, schema = this._narrow = narrowed(this._schema, this._rule, data.holders);
		this._isBuilding = true;
		this.form = new FormView(schema, { t, isReadonly: options.readonly, values: this._rule, submitLabel: this._before ? t('Save') : t('Add this rule'), submit: values => this._save(values), changed: () => this._changed() });
		this._isBuilding = false;
		fill(this.formPlace, this.form.root);
		if (focused)
			this.form.fields.find(field => field.name === focused)?.focus();
		this._preview();
	}

	_changed() {
		if (this._isBuilding || !this.form)
			return;
		const before = this._rule, now = { ...before, ...this.form.values }, shaping = ['when', 'modem'].find(name => now[name] !== before[name]);
		this._rule = now;
		if (shaping === 'modem')
			delete this._rule.profile, delete this._rule.only_from;
		if (shaping)
			this._build(shaping);
		else
			this._preview();
	}

	_body() {
		const allowed = Object.keys(this._narrow.properties), values = Object.fromEntries(Object.entries(this.form.values).filter(([name]) => allowed.includes(name))), name = this._before?.name || nameOf(values.label || 'rule', this.view.rules.map(one => one.name));
		return { ...sendable(values), enabled: values.enabled !== false, only_tell: !!values.only_tell, name };
	}

	/** What it would do now. */
	_preview() {
		const { t, request } = this._ctx, asking = this._asking = {};
		clearTimeout(this._timer);
		if (Object.keys(complaints(this._narrow, this.form.values, t)).filter(name => name !== 'label').length) {
			setText(this.now, t('Fill in what is needed: then it is told here what the rule would do now.'));
			return;
		}
		this._timer = setTimeout(async () => {
			try {
				const { now: [is] } = await request('esim/rules/preview', { method: 'POST', body: this._body() });
				if (asking === this._asking && is)
					setText(this.now, `${t('Now: %s.', t(DECISIONS[is.decision] || is.decision))} ${sentence(is.why)}`);
			} catch (error) {
				if (asking === this._asking)
					setText(this.now, sentence(error.message));
			}
		}, PREVIEW_MS);
	}

	async _save() {
		const { t, request, said, address } = this._ctx, body = this._body(), { _before: before } = this;
		await request(before ? `esim/rules/${encodeURIComponent(before.name)}` : 'esim/rules', { method: before ? 'PUT' : 'POST', body });
		location.hash = address('rules');
		said(t('%s is saved.', body.label || body.name));
	}

	async _remove(rule) {
		const { t, root, request, said } = this._ctx;
		if (!await ask(root, { title: t('Delete the rule %s?', rule.label), texts: [t('The profile in use stays in use.')], yes: t('Delete'), t }))
			return;
		try {
			await request(`esim/rules/${encodeURIComponent(rule.name)}`, { method: 'DELETE' });
			said(t('%s is deleted.', rule.label));
			await this.load();
		} catch (error) {
			this._refuse(error);
		}
	}

	_refuse(error) {
		this.error.hidden = false;
		setText(this.error, error.hint ? `${sentence(error.message)} ${sentence(error.hint)}` : sentence(error.message));
	}
}
