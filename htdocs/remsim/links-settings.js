/** How links share traffic where no policy says otherwise: the server's form of it, what each way means, and the way in from mwan3. */

import { ask } from './ask.js';
import { el, fill } from './dom.js';
import { FormView } from './form.js';
import { ALGORITHMS } from './links-words.js';

export class SettingsTab {
	constructor(ctx) {
		const { t, address, options } = ctx;
		this._ctx = ctx;
		this.place = el('div');
		const ways = el('details.remsim-panel', {}, el('summary', {}, t('What do the ways of sharing mean?')), el('dl.remsim-reasons', {}, Object.values(ALGORITHMS).map(([word, help]) => el('div', {}, el('dt', {}, t(word)), el('dd', {}, t(help))))));
		this.root = el('div.remsim-stack', {}, el('section.remsim-panel', { 'aria-label': t('Sharing') }, el('header', {}, el('h2', {}, t('Where no policy says otherwise'))), this.place), ways,
			options.readonly ? null : el('section.remsim-panel', { 'aria-label': t('From mwan3') }, el('header', {}, el('h2', {}, t('From mwan3'))),
				el('p', {}, t('Interfaces, members, policies and rules of mwan3 become links and policies here. You see them before anything is written.')), el('a.remsim-button', { href: address('import') }, t('Look at what would come'))));
	}

	async show() {
		const { t, request } = this._ctx;
		fill(this.place, el('p.remsim-muted', {}, t('loading …')));
		try {
			const [schema, { values }] = await Promise.all([request('links/form', { query: { section: 'globals' } }), request('links/globals')]);
			this._draw(schema, values);
		} catch (error) {
			fill(this.place, el('p.remsim-problem', {}, error.message), el('button', { type: 'button', click: () => this.show() }, t('Try again')));
		}
	}

	_draw(schema, values) {
		const { t, options } = this._ctx, properties = Object.fromEntries(Object.entries(schema.properties).filter(([name]) => name !== 'name').map(([name, property]) => [name, { ...property, default: values[name] ?? property.default }]));
		this._before = values;
		this.form = new FormView({ ...schema, properties }, { t, isReadonly: options.readonly, submitLabel: t('Save'), submit: given => this._save(given) });
		fill(this.place, this.form.root);
	}

	async _save(values) {
		const { t, root, request, data, said } = this._ctx;
		if (this._before.enabled && values.enabled === false && !await ask(root, { title: t('Switch links off?'), texts: [t('The traffic goes the way it went without them, and policies do nothing.')], yes: t('Switch off'), t }))
			return;
		await request('links/globals', { method: 'PUT', body: values });
		said(t('Saved.'));
		data.load();
		await this.show();
	}
}
