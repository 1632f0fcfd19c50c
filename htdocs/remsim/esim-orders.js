/** Profiles ordered at an operator's server (ES2+): the servers, what was ordered, and a new order whose code is kept. */

import { ask } from './ask.js';
import { el, fill, setText } from './dom.js';
import { endOf, sentence } from './esim-words.js';
import { FormView } from './form.js';
import { epoch, moment } from './format.js';
import { keptSecrets, shownValues } from './kept-secrets.js';
import { isRunning } from './jobs.js';
import { nameOf } from './rule-schema.js';
import { msg } from './words.js';

const TYPE = 'esim_orders';
const STATES = { ordering: msg('is being ordered'), ordered: msg('ordered'), confirmed: msg('confirmed'), released: msg('released'), cancelled: msg('cancelled'), failed: msg('failed'), unknown: msg('not known: ask the operator') };

export class OrdersTab {
	/** `ctx` of esim.js. */
	constructor(ctx) {
		const { t } = ctx;
		Object.assign(this, { _ctx: ctx });
		this.about = el('p.remsim-note', { hidden: true });
		this.error = el('p.remsim-problem', { role: 'alert', hidden: true });
		this.fresh = el('div');
		this.list = el('ul.remsim-plainlist.remsim-esim-codes', { 'aria-label': t('Orders') });
		this.servers = el('div.remsim-stack');
		this.root = el('div.remsim-stack', {}, this.about, this.error,
			el('section.remsim-panel', { 'aria-label': t('Orders') }, el('header', {}, el('h2', {}, t('Orders'))), this.fresh, this.list),
			el('section.remsim-panel', { 'aria-label': t('Servers to order at') }, el('header', {}, el('h2', {}, t('Servers to order at'))), this.servers));
	}

	show() {
		this.load();
	}

	worked(job) {
		if (job.kind === 'esim-order' && !isRunning(job)) {
			if (job.state === 'failed')
				this._refuse({ message: job.error, hint: job.hint });
			this.load();
		}
	}

	async load() {
		const { request } = this._ctx;
		try {
			const [view, { types }, { sections }] = await Promise.all([request('esim/orders'), request('config/form', { query: { types: TYPE } }), request('config', { query: { types: TYPE } })]);
			this._show(view, types[0], sections);
		} catch (error) {
			this._refuse(error);
		}
	}

	_show({ connectors, orders, about }, type, sections) {
		const { t, data, options, store } = this._ctx, told = JSON.stringify([connectors, orders, sections, data.targets.map(one => one.id)]);
		this.about.hidden = false;
		setText(this.about, about ? sentence(about) : t('Tried against this program’s own virtual server only, not with any operator’s.'));
		if (told === this._told)
			return;
		this._told = told;
		this._names = sections.map(one => one.name);
		this._order(connectors);
		const nameOfConnector = name => connectors.find(one => one.name === name)?.label || name;
		fill(this.list, orders.length ? orders.map(order => el('li.remsim-esim-code', { 'data-order': order.id },
			el('div.remsim-esim-what', {}, el('header', {}, el('h3', {}, nameOfConnector(order.connector)), el(`span.${order.state === 'failed' || order.state === 'unknown' ? 'remsim-problem' : order.state === 'released' ? 'remsim-good' : 'remsim-muted'}`, {}, t(STATES[order.state] || order.state))),
				el('p.remsim-muted', {}, [order.iccid && t('ICCID %s', endOf(order.iccid)), order.eid && t('EID %s', endOf(order.eid)), order.made_at && moment(epoch(order.made_at), store.now(), false)].filter(Boolean).join(' · ')),
				order.problem ? el('p.remsim-problem', {}, sentence(order.problem.message || order.problem), ' ', sentence(order.problem.hint)) : null),
			options.readonly ? null : el('div.remsim-esim-do', {}, order.code_id ? el('a.remsim-button.remsim-primary', { href: this._ctx.address('add', { code: order.code_id }) }, t('Use its code')) : null,
				order.state === 'confirmed' ? el('button', { type: 'button', click: () => this._begin(`esim/orders/${order.id}/release`, {}).catch(error => this._refuse(error)) }, t('Release it')) : null,
				['ordered', 'confirmed', 'released'].includes(order.state) ? el('button.remsim-danger', { type: 'button', click: () => this._cancel(order) }, t('Cancel the order …')) : null))) : el('li.remsim-absent', {}, t('Nothing was ordered.')));
		fill(this.servers, sections.map(section => this._server(type, section, connectors.find(one => one.name === section.name))), options.readonly ? null : this._server(type, null));
	}

	/** The form of a new order, where there is a server to order at. */
	_order(connectors) {
		const { t, data, options } = this._ctx;
		if (options.readonly || !connectors.length) {
			fill(this.fresh, connectors.length ? null : el('p.remsim-absent', {}, t('No server to order at is set up.')));
			return;
		}
		const holders = data.targets.map(one => ({ const: one.id, title: one.name }));
		const form = new FormView({ properties: {
			connector: { type: 'string', title: msg('Order at'), oneOf: connectors.map(one => ({ const: one.name, title: one.label || one.name })), default: connectors[0].name },
			holder: { type: 'string', title: msg('For the card of'), oneOf: [{ const: '', title: msg('any card') }, ...holders], default: '' },
			profile_type: { type: 'string', maxLength: 64, title: msg('Type of profile'), description: msg('As the operator calls it. Empty: the server’s usual one.') },
			iccid: { type: 'string', maxLength: 20, title: 'ICCID', description: msg('Instead of a type: one profile of the operator’s stock.'), 'x-advanced': true },
			confirmation_code: { type: 'string', maxLength: 64, title: msg('Confirmation code'), description: msg('Asked for before the download. Empty: none.'), 'x-advanced': true },
			release: { type: 'boolean', default: true, title: msg('Release it at once, so that it can be downloaded') }
		}, required: ['connector'] }, { t, submitLabel: t('Order it'), submit: values => this._begin('esim/orders', Object.fromEntries(Object.entries(values).filter(([, value]) => value !== ''))) });
		fill(this.fresh, el('details.remsim-action', {}, el('summary', {}, el('span', {}, t('New order'))), el('div.remsim-inner', {}, form.root)));
	}

	_server(type, section, connector = null) {
		const { t, options } = this._ctx, schema = keptSecrets(type.schema, section?.values, section?.kept);
		const form = new FormView(schema, { t, isReadonly: options.readonly, values: section ? shownValues(section.values) : undefined, submitLabel: section ? t('Save') : t('Add'), submit: values => this._save(section, values) });
		return el('details.remsim-action', {}, el('summary', {}, el('span', {}, section ? section.values.label || section.name : t('Add a server')), connector?.problem ? el('span.remsim-problem', {}, sentence(connector.problem.message || connector.problem)) : el('span.remsim-muted', {}, section?.values.address || '')),
			el('div.remsim-inner', {}, form.root, section && !options.readonly ? el('p', {}, el('button.remsim-danger', { type: 'button', click: () => this._remove(section) }, t('Remove'))) : null));
	}

	async _save(section, values) {
		const { t, request, said } = this._ctx, body = Object.fromEntries(Object.entries(values).filter(([, value]) => value !== '')), name = section?.name || nameOf(values.label || values.address, this._names);
		await request(`config/${TYPE}/${encodeURIComponent(name)}`, { method: 'PUT', body });
		said(t('%s is saved.', values.label || name));
		await this.load();
	}

	async _remove(section) {
		const { t, root, request } = this._ctx;
		if (!await ask(root, { title: t('Remove %s?', section.values.label || section.name), texts: [t('Orders that were made stay at the operator.')], yes: t('Remove'), t }))
			return;
		await request(`config/${TYPE}/${encodeURIComponent(section.name)}`, { method: 'DELETE' }).catch(error => this._refuse(error));
		await this.load();
	}

	async _cancel(order) {
		const { t, root } = this._ctx;
		if (await ask(root, { title: t('Cancel this order?'), texts: [t('Its code cannot be used any more. The profile goes back to the operator’s stock.')], yes: t('Cancel the order'), t }))
			await this._begin(`esim/orders/${order.id}/cancel`, { reusable: true }).catch(error => this._refuse(error));
	}

	async _begin(path, body) {
		const { request, keeper, store } = this._ctx, job = await request(path, { method: 'POST', body });
		this.error.hidden = true;
		keeper.own(job);
		store.takeJob(job);
	}

	_refuse(error) {
		this.error.hidden = false;
		setText(this.error, [error.message, error.hint].filter(Boolean).map(sentence).join(' '));
	}
}
