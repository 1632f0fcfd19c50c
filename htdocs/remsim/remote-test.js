/** A test of the way to a server, step by step in words. */

import { el, fill } from './dom.js';
import { errorText } from './remote-data.js';
import { msg } from './words.js';

const STEPS = {
	settings: msg('Settings'), resolve: msg('Name of the server'), port: msg('Port of clients and banks'), rspro: msg('Who answers there'),
	rest_port: msg('Port of the REST interface'), rest: msg('REST interface'), client: msg('The client at the server')
};

export class ConnectionTest {
	/** `ctx` as for ClientCard; `whom()`: {server} or {client}, a name. */
	constructor(ctx, whom) {
		const { t, options } = ctx;
		Object.assign(this, { _ctx: ctx, _whom: whom });
		this.button = el('button', { type: 'button', hidden: !!options.readonly, click: () => this._test() }, t('Test the connection'));
		this.checks = el('ul.remsim-plainlist.remsim-remote-checks', { role: 'status' });
	}

	async _test() {
		const { t, request } = this._ctx;
		this.button.disabled = true;
		fill(this.checks, el('li.remsim-muted', {}, t('Testing …')));
		try {
			const { checks } = await request('remote-sim/test', { method: 'POST', body: this._whom() });
			fill(this.checks, checks.map(check => this._row(check)));
		} catch (error) {
			fill(this.checks, el('li.remsim-problem', {}, errorText(error)));
		}
		this.button.disabled = false;
	}

	_row({ name, ok, message, hint }) {
		const [look, shape] = ok === true ? ['good', '✓'] : ok === false ? ['problem', '✖'] : ['muted', '–'];
		return el('li', {}, el(`span.remsim-${look}`, {}, `${shape} ${STEPS[name] ? this._ctx.t(STEPS[name]) : name}`), message ? `: ${message}` : '', hint ? el('small.remsim-help', {}, hint) : null);
	}
}
