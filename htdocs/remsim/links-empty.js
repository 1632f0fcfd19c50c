/** Where links carry nothing: why, and what to do about it. */

import { ask } from './ask.js';
import { el, fill } from './dom.js';

export class EmptyLinks {
	constructor(ctx) {
		this._ctx = ctx;
		this.root = el('div.remsim-stack', { hidden: true });
	}

	update(view) {
		const lacking = (view.capabilities || []).filter(one => !one.is_there);
		const key = JSON.stringify([view.state, view.enabled, view.problem, lacking, view.links.map(link => link.enabled)]);
		if (key === this._key)
			return;
		this._key = key;
		const parts = [this._state(view), this._lacking(lacking, view)].filter(Boolean);
		this.root.hidden = !parts.length;
		fill(this.root, parts);
	}

	_state(view) {
		const { t, address, options } = this._ctx, { readonly } = options;
		const importing = readonly ? null : el('a.remsim-button', { href: address('import') }, t('Take over the configuration of mwan3'));
		if (view.state === 'refused')
			return el('div.remsim-nothing', { role: 'status' }, el('p', {}, el('strong', {}, view.problem?.message || t('Links cannot be used on this router as it is.'))),
				view.problem?.hint ? el('p', {}, view.problem.hint) : null, el('p.remsim-muted', {}, t('Nothing on the router was changed.')), readonly ? null : el('div.remsim-tools', {}, (view.capabilities || []).some(one => one.is_needed && !one.is_there) ? null : importing, this._again()));
		if (view.state === 'failed')
			return el('div.remsim-nothing', { role: 'alert' }, el('p.remsim-problem', {}, el('strong', {}, view.problem?.message || t('Links are out of order.'))), view.problem?.hint ? el('p', {}, view.problem.hint) : null, readonly ? null : el('div.remsim-tools', {}, this._again()));
		if (!view.links.length)
			return el('div.remsim-nothing', {}, el('p', {}, el('strong', {}, t('No link is set up.'))),
				el('p', {}, t('A link is a way to the Internet: a modem, a wired line, a wireless client. With two or more, traffic is shared, and goes on when one of them fails.')),
				readonly ? null : el('div.remsim-tools', {}, el('a.remsim-button.remsim-primary', { href: address('form') }, t('Add a link')), importing));
		const isAllOff = view.links.every(link => link.enabled === false);
		if (view.state === 'off' && !(view.enabled && isAllOff))
			return el('div.remsim-nothing', {}, el('p', {}, el('strong', {}, t('Links are switched off: nothing on this router is changed.'))), el('p', {}, t('Switched on, they carry the traffic of the LAN by the order and the shares below.')),
				readonly ? null : el('div.remsim-tools', {}, el('button.remsim-primary', { type: 'button', click: () => this._switchOn() }, t('Switch links on')), importing));
		if (isAllOff)
			return el('div.remsim-nothing', {}, el('p', {}, el('strong', {}, t('There is nothing to carry traffic: all links are switched off.'))), el('p', {}, t('Open the details of a link and switch it on.')));
		return null;
	}

	_again() {
		const { t, data } = this._ctx;
		return el('button', { type: 'button', click: () => data.load() }, t('Look again'));
	}

	/** What the kernel lacks, with the packages that bring it. */
	_lacking(lacking, view) {
		if (!lacking.length || (view.state === 'off' && !view.links.length))
			return null;
		const { t } = this._ctx, needed = lacking.filter(one => one.is_needed), packages = [...new Set(lacking.map(one => one.package).filter(Boolean))];
		return el('details.remsim-panel', { open: needed.length > 0 }, el('summary', {}, el('strong', {}, needed.length ? t('The router lacks what links need') : t('What the router lacks for more'))),
			el('ul.remsim-lacklist', {}, lacking.map(one => el('li', {}, el('strong', {}, one.is_needed ? '✖ ' : '– ', one.name), one.without ? ` · ${one.without}` : ''))),
			packages.length ? [el('p', {}, t('Install on the router:')), el('p', {}, el('code', {}, `opkg update; opkg install ${packages.join(' ')}`))] : null);
	}

	async _switchOn() {
		const { t, request, root, data, said, failed } = this._ctx;
		const texts = [t('New flows of the LAN go over the links from now on. Flows that run stay where they are.'), t('Should it go wrong: “Sharing” switches links off again, and then all is as before.')];
		if (!await ask(root, { title: t('Switch links on?'), texts, yes: t('Switch on'), t, danger: false }))
			return;
		try {
			await request('links/globals', { method: 'PATCH', body: { enabled: true } });
			said(t('Links are switched on.'));
		} catch (error) {
			failed(error);
		}
		data.load();
	}
}
