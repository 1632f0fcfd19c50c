/** Codes that are kept for later: shown as QR to hand on, used here, or thrown away. */

import { ask } from './ask.js';
import { el, fill, setText } from './dom.js';
import { FormView } from './form.js';
import { epoch, moment } from './format.js';
import { CODE_WORDS, endOf, sentence } from './esim-words.js';
import { msg } from './words.js';

export class CodesTab {
	/** `ctx` of esim.js. */
	constructor(ctx) {
		const { t, options } = ctx;
		this._ctx = ctx;
		this.list = el('ul.remsim-plainlist.remsim-esim-codes', { 'aria-label': t('Kept codes') });
		this.error = el('p.remsim-problem', { role: 'alert', hidden: true });
		this.place = el('div');
		this.root = el('div.remsim-stack', {},
			el('section.remsim-panel', { 'aria-label': t('Kept codes') }, el('header', {}, el('h2', {}, t('Kept codes'))), el('p.remsim-help', {}, t('Activation codes for later, and those that a discovery server gave. A code that was used is forgotten; only that it was there stays.')), this.error, this.list),
			options.readonly ? null : el('details.remsim-panel', {}, el('summary', {}, el('h2', {}, t('Keep a code'))), this.place));
	}

	update() {
		const { t, data, store, options, address } = this._ctx, rows = data.codes, told = JSON.stringify([rows, data.targets.map(one => [one.id, one.name])]);
		if (told === this._told)
			return;
		this._told = told;
		fill(this.list, rows.length ? rows.map(code => {
			const holder = data.holder(code.holder), called = code.label || code.smdp_address;
			return el('li.remsim-esim-code', { 'data-code': code.id },
				el('div.remsim-esim-what', {}, el('header', {}, el('h3', {}, called), el(`span.${code.state === 'failed' ? 'remsim-problem' : code.state === 'used' ? 'remsim-muted' : 'remsim-good'}`, {}, t(CODE_WORDS[code.state] || code.state))),
					el('p.remsim-muted', {}, [code.label ? code.smdp_address : '', endOf(code.matching_id), code.confirmation_code_required && t('needs a confirmation code'), holder && t('for the card of %s', holder.name), code.added_at && t('kept on %s', moment(epoch(code.added_at), store.now(), false))].filter(Boolean).join(' · ')),
					code.problem ? el('p.remsim-problem', {}, sentence(code.problem.message || code.problem)) : null),
				options.readonly ? null : el('div.remsim-esim-do', {},
					code.state === 'used' ? null : [el('a.remsim-button.remsim-primary', { href: address('add', { code: code.id, ...(holder ? { holder: holder.id } : {}) }), 'aria-label': t('Use: %s', called) }, t('Use')),
						el('button', { type: 'button', 'aria-label': t('Show the QR code of %s', called), click: () => this._show(code) }, t('Show the QR code'))],
					el('button', { type: 'button', 'aria-label': t('Remove: %s', called), click: () => this._remove(code) }, t('Remove'))));
		}) : el('li.remsim-absent', {}, t('No code is kept.')));
		this._form();
	}

	_form() {
		const { t, data, options } = this._ctx;
		if (options.readonly || this.form?.isDirty)
			return;
		const holders = data.targets.map(one => ({ const: one.id, title: one.name }));
		this.form = new FormView({ properties: {
			code: { type: 'string', minLength: 1, maxLength: 2048, title: msg('Activation code'), description: msg('LPA:1$… or a link of the operator') }, label: { type: 'string', maxLength: 64, title: msg('What to call it') },
			holder: { type: 'string', oneOf: [{ const: '', title: msg('any card') }, ...holders], default: '', title: msg('For the card of') }
		}, required: ['code'] }, { t, submitLabel: t('Keep it'), submit: values => this._keep(values) });
		fill(this.place, this.form.root);
	}

	async _keep(values) {
		const { t, request, data, said } = this._ctx;
		await request('esim/codes', { method: 'POST', body: { code: values.code, label: values.label || '', holder: values.holder || null } });
		this.form = null;
		this._told = null;
		said(t('The code is kept.'));
		await data.load();
	}

	_show(code) {
		return this._do(async () => (await import('./esim-qr.js')).showCode(this._ctx, code));
	}

	async _remove(code) {
		const { t, root, request, data } = this._ctx;
		if (code.state !== 'used' && !await ask(root, { title: t('Remove this code?'), texts: [t('It is forgotten here, and not used by this. Without another copy of it, the profile cannot be downloaded.')], yes: t('Remove'), t }))
			return;
		await this._do(async () => {
			await request(`esim/codes/${encodeURIComponent(code.id)}`, { method: 'DELETE' });
			await data.load();
		});
	}

	async _do(work) {
		this.error.hidden = true;
		try {
			await work();
		} catch (error) {
			this.error.hidden = false;
			setText(this.error, error.hint ? `${sentence(error.message)} ${sentence(error.hint)}` : sentence(error.message));
		}
	}
}
