/** One rule: its form, the sentence it makes, and the last seven days under it, while it is typed. */

import { ask } from './ask.js';
import { measureOf, ruleSentence } from './alert-words.js';
import { el, fill, setText } from './dom.js';
import { withUnit } from './format.js';
import { FormView } from './form.js';
import { complaints } from './form-rules.js';
import { BANDS } from './quality.js';
import { RulePreview } from './rule-preview.js';
import { formValues, mended, nameOf, narrowed, ruleOf, sendable } from './rule-schema.js';

const NARROWING = ['source', 'measure', 'comparison'];

export class RuleEditor {
	/** `ctx` of alerts.js. `before`: the rule as it is in force, null for a new one; `rule`: what to begin with. */
	constructor(ctx, schema, before, rule) {
		const { t, options } = ctx;
		Object.assign(this, { _ctx: ctx, _schema: schema, before, rule: mended(schema, { ...rule }) });
		this.sentence = el('p.remsim-rule-sentence', { 'aria-live': 'polite' });
		this.good = el('details', { hidden: true });
		this.place = el('div');
		this.preview = new RulePreview(options, ctx.store);
		this.remove = before && !options.readonly ? el('button.remsim-danger', { type: 'button', click: () => this._remove() }, t('Delete this rule')) : null;
		this.error = el('p.remsim-problem', { role: 'alert', hidden: true });
		this.root = el('section.remsim-editor', { 'aria-label': t('Rule') },
			el('header.remsim-tools', {}, el('a', { href: ctx.address('rules') }, t('‹ All rules')), el('h2', { tabindex: '-1' }, before ? before.label : t('New rule'))),
			this.sentence, this.good, el('div.remsim-editor-split', {}, el('div.remsim-panel', {}, this.place, this.error, this.remove ? el('p.remsim-editor-remove', {}, this.remove) : null), this.preview.root));
		this._build();
	}

	destroy() {
		this.preview.destroy();
	}

	focus() {
		this.root.querySelector('h2').focus({ preventScroll: true });
	}

	/** Whether leaving would lose something. */
	get isDirty() {
		return !this._isSaved && JSON.stringify(this._now()) !== this._first;
	}

	_build(focused = null) {
		const { t, options } = this._ctx, open = this.form?.root.querySelector('.remsim-advanced')?.open;
		const schema = narrowed(this._schema, this.rule, { modems: this._ctx.modemChoices(this.rule.modem), channels: this._ctx.channelChoices() });
		this._narrow = schema;
		this._shape = NARROWING.map(name => this.rule[name]).join();
		this._isBuilding = true;
		this.form = new FormView(schema, {
			t, isReadonly: options.readonly, submitLabel: this.before ? t('Save') : t('Add this rule'), values: formValues(schema, this.rule),
			submit: () => this._save(), changed: () => this._changed()
		});
		this._isBuilding = false;
		fill(this.place, this.form.root);
		const fold = this.form.root.querySelector('.remsim-advanced');
		if (fold)
			fold.open = !!open;
		if (focused)
			this.form.fields.find(field => field.name === focused)?.focus();
		this._meaning();
		this._first ??= JSON.stringify(this._now());
		this._told();
	}

	/** What is good, for measures that have a scale. */
	_meaning() {
		const { t } = this._ctx, limits = BANDS[this.rule.measure], { title, unit } = measureOf(this.rule, this._schema['x-measures']);
		this.good.hidden = this.rule.source !== 'measure' || !limits;
		if (!this.good.hidden)
			fill(this.good, el('summary', {}, t('What is good?')), el('p.remsim-help', {}, t('%s: excellent from %s, good from %s, fair from %s, poor below.', t(title), ...[...limits].reverse().map(limit => withUnit(limit, unit)))));
	}

	/** The rule as the form has it now. */
	_now() {
		return ruleOf(this.form.values, this.rule);
	}

	_changed() {
		if (this._isBuilding || !this.form)
			return;
		const now = this._now(), shape = NARROWING.map(name => now[name]).join();
		if (shape !== this._shape) {
			const focused = NARROWING.find(name => now[name] !== this.rule[name]), unit = rule => measureOf(rule, this._schema['x-measures']).unit;
			if (unit(now) !== unit(this.rule))
				delete now.threshold; // a limit in dBm says nothing of milliseconds
			this.rule = mended(this._schema, now);
			this._build(focused);
			return;
		}
		this._told();
	}

	/** The sentence and the preview of what is typed. */
	_told() {
		const { t, store } = this._ctx, rule = this._now(), measures = this._schema['x-measures'];
		const names = new Map(store.list().map(modem => [modem.id, modem.name]));
		setText(this.sentence, ruleSentence(rule, measures, names, t));
		const wrong = Object.entries(complaints(this._narrow, this.form.values, t)).filter(([name]) => name !== 'label');
		if (wrong.length) {
			const field = this.form.fields.find(one => one.name === wrong[0][0]);
			this.preview.lacks(t('The preview waits for the rule: %s', `${t(field.label)} ${wrong[0][1]}`));
			return;
		}
		const key = JSON.stringify({ ...rule, label: '', enabled: true, channels: [], severity: '', repeat_s: 0 });
		if (key !== this._previewed)
			this.preview.show({ ...rule, name: rule.name || 'preview', label: rule.label || 'preview' }, measureOf(rule, measures).unit);
		this._previewed = key;
	}

	async _save() {
		const { t, request, rules } = this._ctx, rule = this._now();
		const name = this.before ? this.before.name : nameOf(rule.name || rule.label, rules.map(one => one.name));
		if (this.before)
			await request(`alert-rules/${encodeURIComponent(name)}`, { method: 'PUT', body: sendable({ ...rule, name }) });
		else
			await request('alert-rules', { method: 'POST', body: sendable({ ...rule, name }) });
		this._isSaved = true;
		await this._ctx.rulesChanged(t('%s is saved.', rule.label));
	}

	async _remove() {
		const { t, root, request } = this._ctx, { name, label } = this.before;
		this.error.hidden = true;
		if (!await ask(root, { title: t('Delete the rule %s?', label), texts: [t('What fires by it now ends; who was told of it is told that too.'), t('Switching it off keeps it for later.')], yes: t('Delete %s', label), t }))
			return;
		try {
			await request(`alert-rules/${encodeURIComponent(name)}`, { method: 'DELETE' });
			this._isSaved = true;
			await this._ctx.rulesChanged(t('%s is deleted.', label));
		} catch (error) {
			this.error.hidden = false;
			setText(this.error, error.hint ? `${error.message} – ${error.hint}` : error.message);
		}
	}
}
