/** Giving a bank's card to a modem, or taking it away: asked before, with what it costs. */

import { ask } from './ask.js';
import { errorText, mapPath } from './remote-data.js';
import { bankSlotName, clientName } from './remote-words.js';

/** What a map's change does to its client's modem, in words; nothing where it has no card now. */
export function costOf(client, store, t) {
	if (!client)
		return '';
	const name = clientName(client, store, t);
	return client.state === 'remote' ? t('%s loses its card: its connection is gone until the other one is there.', name) : '';
}

/** Whether it was done. `ctx`: t, root, request, store, data, said(text), failed(text). */
export async function giveCard(ctx, bank, slot, client) {
	const { t, root, store, data } = ctx, name = clientName(client, store, t), card = bankSlotName(`${bank.bank_id}:${slot}`, t);
	const present = data.mapAt(bank, slot), before = data.mapOf(client.client_slot), other = present && data.clientAt(`${present.client_id}:${present.client_slot}`);
	const isForeign = [present, before].some(map => map?.foreign);
	const texts = [
		before ? t('It has %s now, which becomes free.', bankSlotName(`${before.bank_id}:${before.bank_slot}`, t)) : null,
		present ? t('%s has this card now and loses it.', other ? clientName(other, store, t) : t('client %s', `${present.client_id}:${present.client_slot}`)) : null,
		isForeign ? t('One of these slot maps was made elsewhere: whoever made it may make it again.') : null,
		t('%s is reset once when the card comes: its connection is gone for up to two minutes.', name)
	];
	if (!await ask(root, { title: t('Give %s to %s?', card, name), texts, yes: t('Give it'), t, danger: !!(before || present) }))
		return false;
	const [id, number] = client.client_slot.split(':').map(Number);
	return tried(ctx, 'remote-sim/slotmaps', { method: 'POST', body: { server: bank.server || undefined, bank_id: bank.bank_id, bank_slot: slot, client_id: id, client_slot: number, replace: true } },
		t('%s goes to %s.', card, name));
}

/** Have a slot map taken away. */
export async function takeCard(ctx, map) {
	const { t, root, store, data } = ctx, card = bankSlotName(`${map.bank_id}:${map.bank_slot}`, t), client = data.clientAt(`${map.client_id}:${map.client_slot}`);
	const name = client ? clientName(client, store, t) : t('client %s', `${map.client_id}:${map.client_slot}`);
	const texts = [client?.state === 'remote' ? t('%s loses its remote card, and with it its connection.', name) : null, map.foreign ? t('It was made elsewhere: whoever made it may make it again.') : null];
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
