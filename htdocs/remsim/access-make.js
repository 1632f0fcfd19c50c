/** What lets somebody new in: an API token, a link for a browser, a code for an app. Each secret is shown once. */

import { CopyBox } from './copy.js';
import { el, fill } from './dom.js';
import { FormView } from './form.js';
import { duration } from './format.js';
import { wallAddress } from './wall-link.js';

export class MakePanel {
	constructor(context) {
		const { t } = context;
		this._context = context;
		this._forms = el('div.remsim-access-forms');
		this.made = el('div.remsim-access-made', { hidden: true });
		this.root = el('section.remsim-panel', { 'aria-label': t('Let somebody in') }, el('h2', {}, t('Let somebody in')),
			el('p.remsim-help', {}, t('Give each one a token or a link of its own, with no more rights than it needs: so you can take it back from one alone.')), this.made, this._forms);
	}

	/** The forms, for the rights that this login may hand on; what somebody is filling in stays. */
	show({ form, you, listen }) {
		this._listen = listen;
		const rights = JSON.stringify(you.may_issue);
		if (rights === this._rights)
			return;
		this._rights = rights;
		const { t } = this._context, scopes = { ...form.properties.scopes, default: you.scopes.filter(scope => scope !== 'wall' && scope !== 'metrics') };
		const ticket = { properties: { scopes }, required: ['scopes'] };
		fill(this._forms,
			this._fold(t('A token for a program or a monitor'), form, t('Make the token'), values => this._token(values), { scopes: ['read'] }),
			this._fold(t('A link for a browser'), ticket, t('Make the link'), values => this._browser(values)),
			this._fold(t('A code for an app'), ticket, t('Make the code'), values => this._app(values)));
	}

	_fold(title, schema, submitLabel, submit, values = null) {
		const { t } = this._context;
		const view = new FormView(schema, { t, submitLabel, values, submit: async asked => { await submit(asked); view.reset(); if (values) view.put(values); } });
		return el('details.remsim-access-fold', {}, el('summary', {}, title), view.root);
	}

	async _token(values) {
		const { t, request, written } = this._context;
		const { name, secret, scopes } = await request('tokens', { method: 'POST', body: values });
		const wall = scopes.includes('wall') ? wallAddress(this._address('wall'), { token: secret }) : null;
		this._showOnce(t('The token %s', name), t('It is shown once. Send it as Authorization: Bearer …'), [
			[t('Token'), secret],
			wall ? [t('Link to the wall: let the monitor open it whenever it starts'), wall] : null
		]);
		await written(t('%s is made.', name));
	}

	async _browser({ scopes }) {
		const { t, request, written } = this._context;
		const { ticket, expires_s: lasts } = await request('tickets', { method: 'POST', body: { purpose: 'browser', scopes } });
		this._showOnce(t('A link for one browser'), t('It works once, within %s.', duration(lasts)), [[t('Web address'), `${this._address('login')}?ticket=${encodeURIComponent(ticket)}`]]);
		await written(t('The link is made.'));
	}

	async _app({ scopes }) {
		const { t, request, written } = this._context;
		const { ticket, expires_s: lasts } = await request('tickets', { method: 'POST', body: { purpose: 'app', scopes } });
		this._showOnce(t('A code for one app'), t('Give both to the app within %s. The code works once.', duration(lasts)), [[t('Address of the router'), this._address('')], [t('Code'), ticket]]);
		await written(t('The code is made.'));
	}

	/** The service's own address: LuCI's pages come from another port. */
	_address(name) {
		const { options } = this._context;
		if (!options.throughLuci)
			return new URL(options.links.page(name), location.href).href;
		const [, host, port] = /^(.*):(\d+)$/.exec(this._listen) || [null, '', '8090'];
		return `http://${['0.0.0.0', '[::]'].includes(host) ? location.hostname : host}:${port}/${name}`;
	}

	_showOnce(title, help, texts) {
		const { t } = this._context;
		const isLocal = this._context.options.throughLuci && /^(127\.|localhost|\[::1\])/.test(this._listen);
		const boxes = texts.filter(Boolean).map(([label, text]) => {
			const box = new CopyBox(t, label);
			box.text.rows = Math.min(Math.ceil(text.length / 30), 3);
			box.show(text);
			return [el('h4', {}, label), box.root];
		});
		fill(this.made, el('h3', { tabindex: '-1' }, title), el('p', {}, help), boxes,
			isLocal ? el('p.remsim-problem', {}, t('The service listens on the router itself only, so nothing else reaches it there. Set web.listen to an address of the LAN in the settings.')) : null,
			el('div.remsim-submit', {}, el('button', { type: 'button', click: () => { fill(this.made); this.made.hidden = true; } }, t('Done, hide it'))));
		this.made.hidden = false;
		this._forms.querySelectorAll('details').forEach(fold => { fold.open = false; });
		this.made.querySelector('h3').focus();
	}
}
