/** What to set up first, and how far it is: shown until a card is mapped to a client. */

import { el, fill } from './dom.js';

export class FirstSteps {
	/** `ctx` as for ClientCard, address(tab, more). */
	constructor(ctx) {
		this._ctx = ctx;
		this.root = el('section.remsim-nothing', { hidden: true, 'aria-label': ctx.t('Set up remote SIM') });
	}

	update() {
		const { t, data, address, options } = this._ctx;
		const hasServer = data.servers.length > 0, hasClient = data.ours.length > 0, hasMap = data.maps.some(map => data.ours.some(client => client.client_slot === `${map.client_id}:${map.client_slot}`));
		const isMeshed = !!data.view?.ionmesh && data.view.ionmesh.state !== 'off';
		this.root.hidden = !data.view || (hasServer && hasClient && hasMap) || (hasClient && isMeshed);
		const told = JSON.stringify([hasServer, hasClient, hasMap, this.root.hidden]);
		if (told === this._told)
			return;
		this._told = told;
		const step = (isDone, text, help, where) => el(`li${isDone ? '.remsim-done' : ''}`, {}, el('strong', {}, isDone ? `✓ ${text}` : text), isDone ? null : [el('p.remsim-help', {}, help), where && !options.readonly ? el('a.remsim-button', { href: where }, text) : null]);
		fill(this.root,
			el('h2', {}, hasServer || hasClient ? t('Not all of remote SIM is set up yet') : t('Remote SIM is not set up')),
			el('p', {}, t('A remote SIM is a card in a bank of cards somewhere else, which a modem of this router uses as if it were in its own tray. It takes three things of osmo-remsim:')),
			el('ol.remsim-firststeps', {},
				step(hasServer, t('Add a server'), t('It knows which card goes to which modem. Enter the address of its REST interface, like http://10.0.0.5:9997; it should be reachable through a VPN only.'), address('settings', { add: 'remsim_server' })),
				step(hasClient, t('Add a client'), t('One for each modem: it has an id of its own, and hardware that puts a card’s lines on the modem (a SIMtrace2 board).'), address('settings', { add: 'remote_client' })),
				step(hasMap, t('Give it a card'), t('A slot map says which slot of a bank the client gets.'), hasServer ? address('maps') : null)),
			hasServer || hasClient ? null : el('p', {}, t('With an IonMesh orchestrator, it gives out the cards by itself:'), ' ', el('a', { href: address('settings') }, t('IonMesh'))));
	}
}
