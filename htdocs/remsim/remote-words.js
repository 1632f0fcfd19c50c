/** Remote SIM in words: clients, slots of banks, slot maps, and how each of them looks. */

import { epoch, lasting } from './format.js';
import { msg } from './words.js';

/** The largest id of a bank, a client or a slot. */
export const LARGEST_ID = 1023;

const CLIENT_WORDS = {
	remote: msg('Uses its remote card'),
	connecting: msg('Connecting to the bank'),
	local: msg('Has lost the bank, tries again'),
	unassigned: msg('No card is assigned'),
	unknown: msg('State not known')
};
const CLIENT_LOOKS = { remote: 'ok', connecting: 'busy', local: 'problem', unassigned: 'off' };
const SOURCE_WORDS = { event: msg('as the client reported'), process: msg('as its process shows'), server: msg('as the server says'), socket: msg('as its connections show') };

export const MAP_WORDS = {
	NEW: msg('the bank was not told yet'),
	UNACKNOWLEDGED: msg('told to the bank, not answered yet'),
	ACTIVE: msg('told to the bank'),
	DELETING: msg('being taken away'),
	DELETE_REQ: msg('being taken away')
};

/** `5:0` as [5, 0]; null for what is none. */
export function slotOf(text) {
	const found = /^(\d+):(\d+)$/.exec(text || '');
	return found ? [Number(found[1]), Number(found[2])] : null;
}

/** A bank's slot as people say it. */
export function bankSlotName(text, t) {
	const [bank, slot] = slotOf(text) || [];
	return bank === undefined ? text || '' : t('bank %s, slot %s', bank, slot);
}

/** Whether a bank's card serves the client's modem; null where that is not known. */
export function serves(client) {
	if (client.process?.running === false)
		return false; // without its client no card reaches it
	return client.state === 'remote' ? true : CLIENT_LOOKS[client.state] ? false : null;
}

/** Ok, busy, problem, off, as a card looks. */
export function clientLook(client) {
	if (client.process?.running === false)
		return client.process.stopped ? 'off' : 'problem';
	return CLIENT_LOOKS[client.state] || 'off';
}

/** `Uses its remote card: bank 1, slot 2, since 2 h 14 min`. */
export function clientSentence(client, nowS, t) {
	const word = client.process?.running === false ? t('Does not run') : t(CLIENT_WORDS[client.state] || CLIENT_WORDS.unknown);
	const slot = client.bank_slot && client.state !== 'unassigned' ? bankSlotName(client.bank_slot, t) : '';
	const since = client.since ? t('since %s', lasting(nowS - epoch(client.since))) : '';
	return [slot ? `${word}: ${slot}` : word, since].filter(Boolean).join(', ');
}

/** What a client's state was learnt from. */
export function sourceText(client, t) {
	return SOURCE_WORDS[client.state_source] ? t(SOURCE_WORDS[client.state_source]) : '';
}

/** The name of a client's modem, else its own, else its slot. */
export function clientName(client, store, t) {
	return store.modems.get(client.modem)?.name || client.name || t('client %s', client.client_slot);
}

/** The same with its slot, where the name does not tell it. */
export function clientTitle(client, store, t) {
	const name = clientName(client, store, t);
	return name === t('client %s', client.client_slot) ? name : `${name} (${client.client_slot})`;
}
