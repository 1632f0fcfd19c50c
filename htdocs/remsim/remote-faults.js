/** Faults of the remote SIMs, where the router is simulated: to see what the page says of them. */

import { el } from './dom.js';
import { errorText } from './remote-data.js';
import { msg } from './words.js';

const LASTS_S = 30;
const FAULTS = [
	['bankd_lost', msg('Lose the bank')], ['server_lost', msg('Lose the server')], ['server_restart', msg('Restart the server: its maps are gone')],
	['server_nonsense', msg('Have the server answer nonsense')], ['card_removed', msg('Take the cards out of the bank')],
	['authentication_failures', msg('Have authentications refused')], ['remote_clear', msg('Undo all')]
];
const AT_ONCE = ['server_restart', 'remote_clear'];

export class Faults {
	/** `ctx` as for ClientCard. */
	constructor(ctx) {
		const { t } = ctx;
		this._ctx = ctx;
		this.menu = el('select', { 'aria-label': t('Fault') }, FAULTS.map(([name, word]) => el('option', { value: name }, t(word))));
		this.root = el('p.remsim-tools', { hidden: true }, el('span.remsim-muted', {}, t('Simulation:')), this.menu, el('button', { type: 'button', click: () => this._do() }, t('Do it')));
	}

	update() {
		const { store, options } = this._ctx;
		this.root.hidden = !store.simulated || !!options.readonly;
	}

	async _do() {
		const { t, request, said, failed } = this._ctx, fault = this.menu.value;
		try {
			await request('simulation/faults', { method: 'POST', body: { fault, ...(AT_ONCE.includes(fault) ? {} : { seconds: LASTS_S }) } });
			failed('');
			said(AT_ONCE.includes(fault) ? t('Done.') : t('Done, for %s seconds.', LASTS_S));
		} catch (error) {
			failed(errorText(error));
		}
	}
}
