/** One modem and the cards that it has or could have, with a line to the one that serves it. */

import { el, fill, setText } from './dom.js';
import { bytes, epoch, lasting, money, number } from './format.js';
import { ModemChip } from './modem-chip.js';
import { takeCard } from './remote-give.js';
import { bankSlotName, clientLook, serves } from './remote-words.js';
import { STATE_WORDS, stateLook, stateSentence } from './words.js';

const NO_CARD = ['no_sim', 'gone'];

/** What was used of a cap, with a bar where there is one, and what it costs. */
export function usageOf(sim, t, plans = null) {
	if (!sim)
		return null;
	const { used_bytes: used, cap_bytes: cap, used_percent: percent, cost, currency } = sim;
	const price = Number.isFinite(cost) ? ` · ${money(cost, currency)}` : '';
	if (!cap)
		return el('p.remsim-simcard-usage', {}, t('%s in this billing cycle', bytes(used)), price, ' ', plans ? el('a', { href: plans }, t('set a cap')) : el('span.remsim-muted', {}, t('no cap is set')));
	const look = percent >= 100 ? 'poor' : percent >= 80 ? 'fair' : 'good';
	return el('div.remsim-simcard-usage', {}, t('%s of %s in this billing cycle', bytes(used), bytes(cap)), ` (${number(percent)} %)`, price,
		el(`progress.remsim-simcard-cap.remsim-quality-${look}`, { max: 100, value: Math.min(100, percent), 'aria-label': t('Used of the cap') }));
}

/** What of a usage report is shown: compared before anything is drawn. */
export function shownOf(sim) {
	return sim && Object.fromEntries(['sim', 'name', 'used_bytes', 'cap_bytes', 'used_percent', 'cost', 'currency'].map(name => [name, sim[name]]));
}

/** A card's name: what its plan is called, else the end of its number, else how statistics name it. */
export function cardName(sim, iccid, usage, t) {
	if (usage?.name)
		return usage.name;
	return iccid ? t('SIM …%s', iccid.slice(-4)) : sim || t('SIM');
}

export class Pair {
	/** `ctx`: t, options, store, data, root, request, said, failed, usageOf(sim), sinceOf(modem, sim). */
	constructor(ctx, modem) {
		const { t, options } = ctx;
		Object.assign(this, { _ctx: ctx, id: modem.id });
		this.chip = new ModemChip(t);
		this.state = el('p.remsim-state');
		this.cards = el('div.remsim-pair-cards');
		this.link = options.links.modem ? el('a.remsim-pair-link', { href: options.links.modem(modem.id, 'sim') }, t('SIM of this modem')) : null;
		this.esim = options.links.page ? el('a.remsim-pair-link', { href: options.links.page('esim') }, t('eSIM profiles')) : null;
		this.modem = el('div.remsim-pair-modem', {}, el('h2', {}, this.chip.root), this.state, this.link, this.esim);
		this.root = el('article.remsim-pair', {}, this.modem, this.cards);
	}

	update(modem) {
		const { t, store, data } = this._ctx, client = data.clientOf(modem.id);
		this.chip.update(modem);
		this.root.setAttribute('aria-label', modem.name);
		this.modem.className = `remsim-pair-modem remsim-pair-${stateLook(modem.state)}`;
		setText(this.state, stateSentence(modem, store.now(), t));
		if (client)
			this.root.dataset.drop = client.client_slot;
		else
			delete this.root.dataset.drop;
		const cards = this._cards(modem, client), told = JSON.stringify([cards, client?.client_slot]);
		if (told === this._told || (this.cards.contains(document.activeElement) && document.activeElement.matches('button')))
			return;
		this._told = told;
		fill(this.cards, cards.map(card => this._card(card, client)));
	}

	/** Plain objects: they are compared before anything is drawn. */
	_cards(modem, client) {
		const { t, data, usageOf: used, sinceOf } = this._ctx, sim = modem.reading?.sim || modem.sim, map = client ? data.mapOf(client.client_slot) : null;
		const isServed = client ? serves(client) : false, isRemote = isServed === true, bankSlot = client?.bank_slot || (map ? `${map.bank_id}:${map.bank_slot}` : null);
		const usage = sim ? shownOf(used(sim)) : null;
		const isSeen = !!sim && !NO_CARD.includes(modem.state), operator = modem.state === 'online' ? modem.reading?.operator || '' : '';
		const own = { name: cardName(sim, modem.iccid, usage, t), operator, usage };
		const found = [];
		if (isRemote || bankSlot) {
			const look = isRemote ? 'serving' : isServed === null ? 'unsure' : 'idle';
			found.push({ kind: 'remote', look, slot: bankSlotName(bankSlot, t), since: isRemote ? client.since : null, why: client.health || '', problem: clientLook(client) === 'problem', ...(isRemote && isSeen ? own : { name: bankSlotName(bankSlot, t) }) });
		}
		else if (client)
			found.push({ kind: 'remote', look: 'none', name: t('No card of a bank'), isBare: true });
		if (isRemote)
			found.push({ kind: 'local', look: 'idle', name: t('Local SIM'), isBare: true });
		else if (isSeen)
			found.push({ kind: 'local', look: isServed === null ? 'unsure' : 'serving', slot: modem.reading?.sim_slot ? t('slot %s', modem.reading.sim_slot) : '', sinceS: sinceOf(modem.id, sim), ...own, wrong: stateLook(modem.state) === 'problem' ? t(STATE_WORDS[modem.state]) : '' });
		else
			found.push({ kind: 'local', look: 'none', name: NO_CARD.includes(modem.state) ? t('No SIM') : t('Its SIM is not known'), isBare: true });
		return found;
	}

	_card(card, client) {
		const { t, store, options, data } = this._ctx, now = store.now();
		const kind = card.kind === 'remote' ? t('Remote SIM') : t('Local SIM');
		const since = card.look === 'unsure' ? null : card.since ? now - epoch(card.since) : card.sinceS ? now - Math.abs(card.sinceS) : null;
		const lasts = since === null ? '' : card.sinceS < 0 ? t('for more than %s', lasting(since)) : t('since %s', lasting(since));
		const use = { serving: t('serves this modem'), idle: t('not in use'), unsure: t('it is not known whether it is in use'), none: '' }[card.look];
		const map = card.kind === 'remote' && client ? data.mapOf(client.client_slot) : null;
		return el(`section.remsim-simcard.remsim-simcard-${card.look}`, { 'aria-label': `${kind}: ${card.name}` },
			el('header', {}, card.isBare && card.name === kind ? null : el('h3', {}, card.name), el('span.remsim-mode', {}, kind)),
			card.slot && card.slot !== card.name ? el('p.remsim-muted', {}, [card.slot, card.operator].filter(Boolean).join(' · ')) : card.operator ? el('p.remsim-muted', {}, card.operator) : null,
			use ? el('p.remsim-simcard-use', {}, card.look === 'serving' ? el('span', { 'aria-hidden': 'true' }, '● ') : null, [use, lasts].filter(Boolean).join(', ')) : null,
			card.why && card.look !== 'serving' ? el(`p.remsim-sentence${card.problem ? '.remsim-problem' : '.remsim-muted'}`, {}, card.why) : null,
			card.wrong ? el('p.remsim-problem', {}, card.wrong) : null,
			usageOf(card.usage, t, options.readonly ? null : options.links.page?.('usage')),
			map && !map.foreign && !map.removing && !options.readonly ? el('div.remsim-tools', {}, el('button.remsim-small', { type: 'button', 'aria-label': t('Take away: %s', card.slot || card.name), click: () => takeCard(this._ctx, map) }, t('Take away'))) : null);
	}
}
