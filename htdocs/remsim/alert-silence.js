/** Silences: nobody is told of what fires while one lasts; the alert itself stays in sight. */

import { el, fill, setText } from './dom.js';
import { clock, epoch, inputTime, lasting, moment, timeOf } from './format.js';
import { msg } from './words.js';

const FOR = [[3600, msg('1 hour')], [28800, msg('8 hours')], [86400, msg('1 day')]];

/** A fold that makes a silence. `wanted(scope)` -> {rule, modem}; where both are known the scope can be chosen. */
export class SilenceMaker {
	/** `about`: {rule, modem} (null: all); `names`: {rule, modem} as people read them. */
	constructor(ctx, about, names) {
		const { t } = ctx;
		Object.assign(this, { _ctx: ctx, _about: about });
		this.scope = about.modem ? el('select', { 'aria-label': t('What is silenced') },
			el('option', { value: 'both' }, t('this rule for %s', names.modem)), el('option', { value: 'rule' }, t('this rule for every modem')), el('option', { value: 'modem' }, t('every rule for %s', names.modem))) : null;
		this.until = el('input', { type: 'datetime-local', 'aria-label': t('Silent until') });
		this.comment = el('input', { type: 'text', maxlength: 200, placeholder: t('Why (for the others)'), 'aria-label': t('Why') });
		this.error = el('p.remsim-problem', { role: 'alert', hidden: true });
		this.root = el('details.remsim-silencer', { toggle: () => { this.until.value = inputTime(ctx.store.now() + 3600).slice(0, 16); } }, el('summary', {}, t('Silence')),
			el('div.remsim-inner', {}, this.scope, this.comment,
				el('div.remsim-tools', {}, FOR.map(([time, word]) => el('button', { type: 'button', click: () => this._make(ctx.store.now() + time) }, t(word)))),
				el('form.remsim-tools', { submit: event => { event.preventDefault(); this._make(timeOf(this.until.value)); } },
					this.until, el('button', { type: 'submit' }, t('Silent until then'))), this.error));
	}

	async _make(until) {
		const { t, request, store, silenced } = this._ctx, scope = this.scope?.value || 'both';
		this.error.hidden = true;
		if (!(until > store.now())) {
			this.error.hidden = false;
			setText(this.error, t('Choose a time to come.'));
			return;
		}
		try {
			await request('silences', { method: 'POST', body: {
				rule: scope === 'modem' ? null : this._about.rule, modem: scope === 'rule' ? null : this._about.modem, until: new Date(until * 1000).toISOString(), comment: this.comment.value.trim()
			} });
			this.root.open = false;
			this.root.querySelector('summary').focus({ preventScroll: true });
			await silenced(t('Silent until %s.', moment(until, store.now(), false)));
		} catch (error) {
			this.error.hidden = false;
			setText(this.error, error.hint ? `${error.message} – ${error.hint}` : error.message);
		}
	}
}

/** What is silenced now, until when, by whom and why; and a way to silence more, before a night's work. */
export class SilencesTab {
	constructor(ctx) {
		const { t } = ctx;
		this._ctx = ctx;
		this.list = el('ul.remsim-plainlist');
		this.none = el('p.remsim-absent', {}, t('Nothing is silenced.'));
		this.rule = el('select', { 'aria-label': t('Rule') });
		this.modem = el('select', { 'aria-label': t('Modem') });
		this.maker = el('div');
		this.error = el('p.remsim-problem', { role: 'alert', hidden: true });
		this.root = el('div.remsim-stack', {}, el('section.remsim-panel', { 'aria-label': t('Silences') }, el('p.remsim-help', {}, t('While something is silenced it still shows here and in the journal, but no message is sent.')), this.error, this.none, this.list),
			ctx.options.readonly ? null : el('section.remsim-panel', { 'aria-label': t('Silence beforehand') }, el('h2', {}, t('Silence beforehand')),
				el('p.remsim-help', {}, t('For work on the router or an antenna: choose what shall be quiet.')), el('div.remsim-tools', {}, this.rule, this.modem), this.maker));
		this.rule.addEventListener('change', () => this._another());
		this.modem.addEventListener('change', () => this._another());
	}

	show() {
		const { t, silences, rules, store, options } = this._ctx, now = store.now();
		this.none.hidden = silences.length > 0;
		fill(this.list, silences.map(one => el('li.remsim-entry', {},
			el('strong', {}, this._what(one)), el('span', {}, t('until %s (%s left)', moment(epoch(one.until), now, false), lasting(epoch(one.until) - now))),
			el('span.remsim-muted', {}, [one.by ? t('by %s', one.by) : '', one.comment].filter(Boolean).join(': ')),
			options.readonly ? null : el('button', { type: 'button', 'aria-label': t('End now: %s', this._what(one)), click: () => this._end(one) }, t('End now')))));
		const choices = JSON.stringify([rules.map(rule => [rule.name, rule.label]), store.list().map(modem => [modem.id, modem.name])]);
		if (choices === this._choices)
			return;
		this._choices = choices;
		fill(this.rule, el('option', { value: '' }, t('Every rule')), rules.map(rule => el('option', { value: rule.name }, rule.label)));
		fill(this.modem, el('option', { value: '' }, t('Every modem')), store.list().map(modem => el('option', { value: modem.id }, modem.name)));
		this._another();
	}

	_another() {
		const silencer = new SilenceMaker(this._ctx, { rule: this.rule.value || null, modem: this.modem.value || null }, { modem: '' });
		silencer.scope?.remove();
		silencer.scope = null;
		fill(this.maker, silencer.root);
	}

	_what({ rule, modem }) {
		const { t, rules, store } = this._ctx;
		const named = rule ? rules.find(one => one.name === rule)?.label || rule : t('Every rule');
		return modem ? t('%s, only %s', named, store.modems.get(modem)?.name || modem) : t('%s, every modem', named);
	}

	async _end(one) {
		const { t, request, silenced } = this._ctx;
		this.error.hidden = true;
		try {
			await request(`silences/${encodeURIComponent(one.id)}`, { method: 'DELETE' });
			await silenced(t('The silence has ended at %s.', clock(this._ctx.store.now())));
		} catch (error) {
			this.error.hidden = false;
			setText(this.error, error.message);
		}
	}
}
