/** Giving a bank's card to a modem, or taking it away: asked before, with what it costs. */

import { ask } from './ask.js';
import { select } from './dialog.js';
import { el } from './dom.js';
import { errorText, mapPath } from './remote-data.js';
import { bankSlotName, clientName, clientTitle } from './remote-words.js';

/** What a map's change does to its client's modem, in words; nothing where it has no card now. */
export function costOf(client, store, t) {
	if (!client)
		return '';
	const name = clientName(client, store, t);
	return client.state === 'remote' ? t('%s loses its card: its connection is gone until the other one is there.', name) : '';
}

/** Whom a card shall go to; null when nobody was chosen. */
export function chooseClient(ctx, card, clients) {
	const { t, root, store } = ctx;
	return new Promise(resolve => {
		const before = document.activeElement, name = t('Give %s to', card);
		const menu = select(clients.map(client => [client.client_slot, clientTitle(client, store, t)]), clients[0].client_slot, { 'aria-label': name });
		const end = chosen => {
			dialog.remove();
			if (before?.isConnected)
				before.focus({ preventScroll: true });
			resolve(chosen);
		};
		const dialog = el('dialog.remsim-ask', { 'aria-label': name, cancel: event => { event.preventDefault(); end(null); } }, el('form', { submit: event => { event.preventDefault(); end(clients.find(client => client.client_slot === menu.value)); } },
			el('h3', {}, name), el('p', {}, menu),
			el('div.remsim-submit', {}, el('button.remsim-primary', { type: 'submit' }, t('Go on')), el('button', { type: 'button', click: () => end(null) }, t('Cancel')))));
		root.append(dialog);
		dialog.showModal();
		menu.focus();
	});
}

/** Whether it was done. `ctx`: t, root, request, store, data, said(text), failed(text). */
export async function giveCard(ctx, bank, slot, client) {
	const { t, root, store, data } = ctx, name = clientName(client, store, t), card = bankSlotName(`${bank.bank_id}:${slot}`, t);
	const present = data.mapAt(bank, slot), before = data.mapOf(client.client_slot), other = present && data.clientAt(`${present.client_id}:${present.client_slot}`);
	const foreign = [present, before].filter(map => map?.foreign);
	const texts = [
		before ? t('It has %s now, which becomes free.', bankSlotName(`${before.bank_id}:${before.bank_slot}`, t)) : null,
		present ? t('%s has this card now and loses it.', other ? clientName(other, store, t) : t('client %s', `${present.client_id}:${present.client_slot}`)) : null,
		foreign.length ? t('What is there was made elsewhere and is taken over first: whoever made it may make it again.') : null,
		t('%s is reset once when the card comes: its connection is gone for up to two minutes.', name)
	];
	if (!await ask(root, { title: t('Give %s to %s?', card, name), texts, yes: t('Give it'), t, danger: !!(before || present) }))
		return false;
	const [id, number] = client.client_slot.split(':').map(Number);
	for (const map of foreign) {
		const [path, query] = mapPath(map, '/adopt');
		if (!await tried(ctx, path, { method: 'POST', query }, t('%s is kept by this router now.', bankSlotName(`${map.bank_id}:${map.bank_slot}`, t))))
			return false;
	}
	return tried(ctx, 'remote-sim/slotmaps', { method: 'POST', body: { server: bank.server || undefined, bank_id: bank.bank_id, bank_slot: slot, client_id: id, client_slot: number, replace: true } },
		t('%s goes to %s.', card, name));
}

/** Have a slot map taken away. */
export async function takeCard(ctx, map) {
	const { t, root, store, data } = ctx, card = bankSlotName(`${map.bank_id}:${map.bank_slot}`, t), client = data.clientAt(`${map.client_id}:${map.client_slot}`);
	const name = client ? clientName(client, store, t) : t('client %s', `${map.client_id}:${map.client_slot}`);
	const texts = [client?.state === 'remote' ? t('%s loses its remote card, and with it its connection.', name) : null];
	if (!await ask(root, { title: t('Take %s away from %s?', card, name), texts, yes: t('Take it away'), t }))
		return false;
	const [path, query] = mapPath(map);
	return tried(ctx, path, { method: 'DELETE', query }, t('%s is free.', card));
}

/** Ask for a change, say what came of it, and look again. */
export async function tried(ctx, path, how, done) {
	try {
		await ctx.request(path, how);
	} catch (error) {
		ctx.failed(errorText(error));
		await ctx.data.load();
		return false;
	}
	ctx.failed('');
	ctx.said(done);
	await ctx.data.load();
	return true;
}
