/** One client of this router: what it has, whether it works, and its steering, log and counting. */

import { ask } from './ask.js';
import { el, fill, setText } from './dom.js';
import { NONE, count, epoch, lasting } from './format.js';
import { countLines, isCounted } from './remote-counts.js';
import { errorText } from './remote-data.js';
import { ConnectionTest } from './remote-test.js';
import { clientLook, clientSentence, sourceText } from './remote-words.js';
import { msg } from './words.js';

const STEPS = {
	start: [msg('Start'), msg('%s is started.')],
	restart: [msg('Restart'), msg('%s is restarted.')],
	stop: [msg('Stop'), msg('%s is stopped.')]
};
const WIRES = [['vcc', 'VCC'], ['rst', 'RST'], ['clk', 'CLK']];

export class ClientCard {
	/** `ctx`: t, options, request, store, root, data, said(text). */
	constructor(ctx, client) {
		const { t, options } = ctx;
		this._ctx = ctx;
		this.title = el('h3');
		this.slot = el('span.remsim-mode');
		this.state = el('p.remsim-state');
		this.health = el('p');
		this.hint = el('p.remsim-help.remsim-sentence');
		this.uncertain = el('p.remsim-help', { hidden: true });
		this.noData = el('p.remsim-problem', { hidden: true }, t('This program cannot carry a remote card to a modem. What does: a SIMtrace2 board with osmo-remsim-client-st2.'));
		this.trouble = el('p.remsim-problem.remsim-sentence', { hidden: true });
		this.facts = el('dl.remsim-facts');
		this.error = el('p.remsim-problem', { role: 'alert', hidden: true });
		this.buttons = Object.fromEntries(Object.entries(STEPS).map(([step, [word]]) => [step, el(`button${step === 'stop' ? '.remsim-danger' : ''}`, { type: 'button', hidden: !!options.readonly, click: () => this._step(step) }, t(word))]));
		this.log = el('pre.remsim-remote-log', { tabindex: '0', role: 'log', 'aria-label': t('Log'), 'aria-live': 'off' });
		this.logFold = el('details', { toggle: () => { if (this.logFold.open) this._log(); } }, el('summary', {}, t('Log')), this.log, el('button.remsim-small', { type: 'button', click: () => this._log() }, t('Read again')));
		this.test = new ConnectionTest(ctx, () => ({ client: this.client.name }));
		this.counting = el('div.remsim-remote-counting');
		this.fold = el('details', {}, el('summary', {}, t('Run, log, count')),
			el('div.remsim-stack', {}, el('div.remsim-tools', {}, Object.values(this.buttons), this.test.button), this.error, this.test.checks, this.counting, this.logFold));
		this.root = el('article.remsim-card', { 'data-client': client.name || client.client_slot }, el('header', {}, this.title, this.slot),
			this.state, this.health, this.hint, this.uncertain, this.noData, this.trouble, this.facts, this.fold);
		this.update(client);
	}

	update(client) {
		const { t, store, options } = this._ctx, modem = store.modems.get(client.modem);
		this.client = client;
		this.root.className = `remsim-card remsim-card-${clientLook(client)}`;
		const title = JSON.stringify([modem?.name, client.name]);
		if (title !== this._title) {
			const name = modem?.name || client.name || t('client %s', client.client_slot);
			fill(this.title, modem && options.links.modem ? el('a', { href: options.links.modem(modem.id, 'sim') }, name) : name);
			this.root.setAttribute('aria-label', name);
			this._title = title;
		}
		setText(this.slot, [modem && client.name !== modem.name ? client.name : null, t('client %s', client.client_slot)].filter(Boolean).join(' · '));
		setText(this.health, client.health || '');
		this.health.hidden = !client.health;
		this.health.className = `remsim-sentence${client.state === 'remote' ? '' : ' remsim-remote-health'}`;
		setText(this.hint, client.hint || '');
		this.hint.hidden = !client.hint;
		this.uncertain.hidden = !client.uncertain || client.state === 'unknown';
		setText(this.uncertain, client.state_source === 'server' ? t('Not certain: the client itself has told nothing.') : t('Not certain: some of its reports are missing.'));
		this.noData.hidden = client.process?.program !== 'openwrt';
		const { process } = client, can = process?.can ?? (!process ? [] : process.running ? ['restart', 'stop'] : ['start']);
		for (const [step, button] of Object.entries(this.buttons))
			button.hidden = !!options.readonly || !can.includes(step);
		this.trouble.hidden = !process?.problem || (client.health || '').includes(process.problem);
		setText(this.trouble, [process?.problem, process?.hint].filter(Boolean).join(' – '));
		this.logFold.hidden = process?.log === false || !client.name;
		this._counts();
		this.tick();
	}

	/** What moves by itself: ages. */
	tick() {
		const { t, store } = this._ctx, { client } = this, now = store.now();
		setText(this.state, clientSentence(client, now, t));
		const facts = this._facts(now), told = JSON.stringify(facts);
		if (told !== this._told)
			fill(this.facts, facts.map(([name, value, why]) => el('div', {}, el('dt', {}, name), el('dd', { title: why || null }, value))));
		this._told = told;
	}

	_facts(now) {
		const { t } = this._ctx, { client } = this, { process = null } = client;
		const link = one => one?.up === true ? [one.since ? t('up %s', lasting(now - epoch(one.since))) : t('up'), sourceText({ state_source: one.source }, t)] : one?.up === false ? [t('down'), sourceText({ state_source: one.source }, t)] : [NONE, t('not seen: the client’s process is not known')];
		const wires = WIRES.filter(([name]) => typeof client[name] === 'boolean');
		const running = process?.running, times = often => often === 1 ? t('once') : t('%s times', count(often));
		return [
			[t('Bank'), client.bankd_addr || NONE],
			[t('Link to the server'), ...link(client.server_link)],
			[t('Link to the bank'), ...link(client.bankd_link)],
			[t('Program'), running === true ? (process.since ? t('runs %s', lasting(now - epoch(process.since))) : t('runs')) : running === false ? t('does not run') : NONE, process?.program || null],
			wires.length ? [t('Card’s lines'), wires.map(([name, label]) => `${label} ${client[name] ? t('on') : t('off')}`).join(' · '), t('As the modem last reported them')] : null,
			Number.isFinite(client.reconnects) ? [t('Reconnected'), times(client.reconnects)] : null,
			client.modem_resets ? [t('Modem reset'), times(client.modem_resets), t('Asked for by the client')] : null,
			process?.restarts ? [t('Started anew'), times(process.restarts)] : null,
			sourceText(client, t) ? [t('State known'), sourceText(client, t)] : null
		].filter(Boolean);
	}

	/** Counted commands and authentications, or how to have them counted. */
	_counts() {
		const { t, options, store } = this._ctx, { client } = this, { relay, process } = client;
		const told = JSON.stringify([client.tpdu_rx, client.tpdu_tx, client.authentications, relay?.enabled, relay?.running, process?.program]);
		if (told === this._counted || this.counting.contains(document.activeElement))
			return;
		this._counted = told;
		fill(this.counting,
			el('h4', {}, t('What the card is asked')),
			isCounted(client) ? countLines(client, store.now(), t) : el('p.remsim-absent', {}, t('Not counted.')),
			relay?.enabled && relay.running === false ? el('p.remsim-problem', {}, t('The relay does not run, so the card is not reached.')) : null,
			process?.program === 'openwrt' || options.readonly || !client.name ? null
				: el('button', { type: 'button', click: () => this._relay(!relay?.enabled) }, relay?.enabled ? t('Stop counting') : t('Count from now on')));
	}

	async _relay(wanted) {
		const { t, root, request, said, data } = this._ctx, { name } = this.client;
		const isWanted = await ask(root, wanted
			? { title: t('Count what the card of %s is asked?', name), yes: t('Count'), t, texts: [t('The card’s data then goes through one more program on this router. If that program ends, the card is gone until it is back.'), t('It counts commands and authentications and forgets their content: no keys are stored.'), t('The client is started anew now: its modem is reset once.')] }
			: { title: t('Stop counting at %s?', name), yes: t('Stop counting'), t, texts: [t('Going direct again starts the client anew: its modem is reset once.')] });
		if (!isWanted)
			return;
		await this._do(async () => {
			const path = `config/remote_client/${encodeURIComponent(name)}`, { values } = await request(path);
			await request(path, { method: 'PUT', body: { ...values, relay: wanted } });
			said(wanted ? t('What the card of %s is asked is counted.', name) : t('Counting at %s has ended.', name));
			await data.load();
		});
	}

	async _step(step) {
		const { t, root, request, said, data } = this._ctx, { name, state } = this.client, [word, done] = STEPS[step];
		const loses = state === 'remote' ? t('Its modem loses the remote card, and with it its connection.') : '';
		const texts = step === 'restart' ? [loses, t('The client needs 10 to 30 seconds to find its bank again; then the modem is reset once.')] : [loses, t('The modem has no remote card until somebody starts the client again.')];
		if (step !== 'start' && !await ask(root, { title: step === 'restart' ? t('Restart the client %s?', name) : t('Stop the client %s?', name), texts, yes: t(word), t }))
			return;
		await this._do(async () => {
			await request(`remote-sim/clients/${encodeURIComponent(name)}/${step}`, { method: 'POST' });
			said(t(done, name));
			await data.load();
		});
	}

	async _do(work) {
		const controls = Object.values(this.buttons);
		this.error.hidden = true;
		controls.forEach(button => { button.disabled = true; });
		try {
			await work();
		} catch (error) {
			this.error.hidden = false;
			setText(this.error, errorText(error));
		} finally {
			controls.forEach(button => { button.disabled = false; });
		}
	}

	async _log() {
		const { t, request } = this._ctx;
		try {
			const { lines } = await request(`remote-sim/clients/${encodeURIComponent(this.client.name)}/log`);
			setText(this.log, lines.length ? lines.join('\n') : t('It has written nothing yet.'));
			this.log.scrollTop = this.log.scrollHeight;
		} catch (error) {
			setText(this.log, errorText(error));
		}
	}
}
