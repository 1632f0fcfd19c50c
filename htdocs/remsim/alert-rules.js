/** The rules: each a sentence with a switch; presets to begin with; one of them in the editor. */

import { ruleSentence, severityNode } from './alert-words.js';
import { ask } from './ask.js';
import { el, fill, setText } from './dom.js';
import { RuleEditor } from './rule-editor.js';
import { sendable } from './rule-schema.js';

export class RulesTab {
	constructor(ctx) {
		const { t, options } = ctx;
		this._ctx = ctx;
		this.list = el('ul.remsim-plainlist');
		this.none = el('p', {}, t('There is no rule yet. A preset is looked at with the last seven days before it is added.'));
		this.error = el('p.remsim-problem', { role: 'alert', hidden: true });
		this.presets = el('ul.remsim-plainlist.remsim-presets');
		this.all = options.readonly ? null : el('button.remsim-primary', { type: 'button', click: () => this._addAll() }, t('Add the usual ones'));
		this.overview = el('div.remsim-stack', {},
			el('section.remsim-panel', { 'aria-label': t('Rules') }, this.error, this.none, this.list,
				options.readonly ? null : el('div.remsim-tools', {}, el('a.remsim-button', { href: ctx.address('rules', { rule: '+' }) }, t('New rule')), this.all)),
			this.presetBox = el('details.remsim-panel', {}, el('summary', {}, el('h2', {}, t('Presets'))), this.presets));
		this.place = el('div', { hidden: true });
		this.root = el('div', {}, this.overview, this.place);
	}

	show() {
		const { rules, presets } = this._ctx;
		this.none.hidden = rules.length > 0;
		if (this.all)
			this.all.hidden = rules.length > 0 || !presets.length;
		if (!rules.length)
			this.presetBox.open = true;
		this._rows();
		this._presets();
		this._route();
	}

	/** What the address asks for: a rule, a new one (`+`), a preset. */
	async route(asked) {
		this._asked = { rule: asked.get('rule'), preset: asked.get('preset') };
		this._route();
	}

	async _route() {
		const { rule, preset } = this._asked || {}, { rules, presets, options } = this._ctx;
		const key = rule || preset ? `${rule} ${preset}` : null;
		if (key === this._shown && (key === null || this.editor))
			return;
		if (!this._ctx.isKnown)
			return;
		this._shown = key;
		this.editor?.destroy();
		this.editor = null;
		this.overview.hidden = key !== null;
		this.place.hidden = key === null;
		if (key === null) {
			fill(this.place);
			return;
		}
		const before = rules.find(one => one.name === rule) || null, from = before || presets.find(one => one.name === preset);
		if ((!before && rule && rule !== '+') || (preset && !from)) {
			fill(this.place, el('p.remsim-problem', {}, this._ctx.t('There is no rule %s any more.', rule || preset), ' ', el('a', { href: this._ctx.address('rules') }, this._ctx.t('All rules'))));
			return;
		}
		try {
			const schema = await (this._schema ||= options.request('alert-rules/form'));
			if (this._shown !== key)
				return;
			this.editor = new RuleEditor(this._ctx, schema, before, before || (from ? { ...from, label: this._ctx.t(from.label), help: undefined } : firstOf(schema)));
			fill(this.place, this.editor.root);
			this.editor.focus();
		} catch (error) {
			this._schema = this._shown = null;
			fill(this.place, el('p.remsim-problem', {}, error.message), el('button', { type: 'button', click: () => this._route() }, this._ctx.t('Try again')));
		}
	}

	/** Go back to the list after something was saved; what it says is read out there. */
	leave() {
		this._shown = undefined;
		this.editor?.destroy();
		this.editor = null;
	}

	_rows() {
		const { t, rules, alerts, address, measures, names, options } = this._ctx;
		const counts = rules.map(rule => alerts.filter(alert => alert.rule === rule.name && alert.state === 'firing').length);
		const said = JSON.stringify([rules, counts, measures, [...names]]);
		if (this._said === said) // a switch that is anew while a key is down on it is not switched
			return;
		this._said = said;
		const focused = this.list.contains(document.activeElement) ? document.activeElement.dataset.rule : null;
		fill(this.list, rules.map((rule, place) => {
			const firing = counts[place];
			const toggle = el('input', { type: 'checkbox', role: 'switch', 'data-rule': rule.name, 'aria-label': t('%s is in use', rule.label), disabled: options.readonly, change: () => this._switch(rule, toggle) });
			toggle.checked = rule.enabled;
			return el(`li.remsim-entry${rule.enabled ? '' : '.remsim-entry-off'}`, {}, el('label.remsim-check', {}, toggle, el('span.remsim-said', {}, t('in use'))),
				el('a', { href: address('rules', { rule: rule.name }) }, el('strong', {}, rule.label)), severityNode(rule.severity, t),
				el('span.remsim-entry-more', {}, ruleSentence(rule, measures, names, t)), rule.enabled ? firing ? el('strong', {}, t('%s firing', firing)) : null : el('span.remsim-muted', {}, t('off')));
		}));
		if (focused)
			[...this.list.querySelectorAll('input')].find(input => input.dataset.rule === focused)?.focus({ preventScroll: true });
	}

	_presets() {
		const { t, rules, presets, address, measures, names, options } = this._ctx;
		fill(this.presets, presets.map(preset => {
			const has = rules.some(rule => isLike(rule, preset));
			return el('li.remsim-entry', {}, el('strong', {}, t(preset.label)), severityNode(preset.severity, t), el('span.remsim-entry-more', {}, preset.help ? t(preset.help) : ruleSentence(preset, measures, names, t)),
				has ? el('span.remsim-muted', {}, t('✓ added')) : options.readonly ? null : el('a.remsim-button', { href: address('rules', { preset: preset.name }), 'aria-label': t('Look at it: %s', t(preset.label)) }, t('Look at it')));
		}));
	}

	async _switch(rule, toggle) {
		const { t, request, rulesChanged } = this._ctx;
		if (this._isSwitching) { // it keeps the keyboard's place, so it cannot be disabled
			toggle.checked = rule.enabled;
			return;
		}
		this._isSwitching = true;
		this.error.hidden = true;
		try {
			await request(`alert-rules/${encodeURIComponent(rule.name)}`, { method: 'PUT', body: sendable({ ...rule, enabled: toggle.checked }) });
			await rulesChanged(toggle.checked ? t('%s is on.', rule.label) : t('%s is off.', rule.label), false);
		} catch (error) {
			toggle.checked = !toggle.checked;
			this._fail(error);
		}
		this._isSwitching = false;
	}

	async _addAll() {
		const { t, request, rulesChanged, presets, root } = this._ctx;
		this.error.hidden = true;
		if (!await ask(root, { title: t('Add all %s presets?', presets.length), texts: [t('Each can be changed, switched off or deleted later.'), presets.map(preset => t(preset.label)).join(', ')], yes: t('Add them'), t, danger: false }))
			return;
		this.all.disabled = true;
		try {
			for (const preset of presets)
				await request('alert-rules', { method: 'POST', body: sendable({ ...preset, label: t(preset.label), help: null }) });
		} catch (error) {
			this._fail(error);
		}
		this.all.disabled = false;
		await rulesChanged(t('The usual rules are added.'), false);
	}

	_fail(error) {
		this.error.hidden = false;
		setText(this.error, error.hint ? `${error.message} – ${error.hint}` : error.message);
	}

	destroy() {
		this.editor?.destroy();
	}
}

/** What a new rule begins with: the first of everything. */
function firstOf(schema) {
	const first = name => schema.properties[name].oneOf?.[0]?.const;
	const defaults = Object.fromEntries(Object.entries(schema.properties).filter(([, property]) => 'default' in property).map(([name, property]) => [name, property.default]));
	return { label: '', enabled: true, source: first('source'), measure: 'rsrp_dbm', comparison: 'below', for_s: 300, hysteresis: 0, clear_for_s: 0, window_s: 600, severity: 'warning', repeat_s: 0, ...defaults };
}

/** Whether a rule watches the same as a preset. */
function isLike(rule, preset) {
	return rule.name === preset.name || ['source', 'measure', 'comparison', 'threshold'].every(name => rule[name] === preset[name]);
}
