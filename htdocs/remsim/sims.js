/** The SIMs page: which card serves which modem, since when and what it has carried; cards of banks are given out here. */

import { BankBoard } from './bank-board.js';
import { el, fill, setText } from './dom.js';
import { Frame } from './frame.js';
import { RemoteData, errorText } from './remote-data.js';
import { serves } from './remote-words.js';
import { Pair, cardName, shownOf, usageOf } from './sims-pair.js';

const USAGE_AGAIN_S = 300;
const UNKNOWN = 'unknown SIM';
const RANGE = '30d';

/** Mount the SIMs page into `node`; `options` as for dashboard.js. Returns {destroy, pause, resume, isWaiting}. */
export async function mount(node, options) {
	const page = new SimsPage(node, options);
	await page.start();
	return page;
}

class SimsPage extends Frame {
	constructor(node, options) {
		super(node, options, 'remsim-simspage');
		const { t, request, links } = this.options;
		this.data = new RemoteData(this.options, this.store, () => this._show());
		this.usage = new Map();
		this.since = new Map();
		this.pairs = new Map();
		this.refused = el('p.remsim-problem', { role: 'alert', hidden: true });
		const context = this.context = {
			t, request, options: this.options, store: this.store, root: this.root, data: this.data,
			usageOf: sim => this.usage.get(sim) || null, sinceOf: (modem, sim) => this._since(modem, sim),
			said: text => setText(this.told, text ? `✓ ${text}` : ''),
			failed: text => { setText(this.refused, text); this.refused.hidden = !text; if (text) setText(this.told, ''); }
		};
		this.none = el('div.remsim-nothing', { hidden: true }, el('p', {}, t('No modem is known, so there is no SIM to show.')), links.page ? el('a.remsim-button', { href: links.page('modems') }, t('Modems')) : null);
		this.list = el('div.remsim-pairs');
		this.board = new BankBoard(context);
		const page = links.page;
		this.banks = el('section.remsim-panel', { 'aria-label': t('Cards in banks') }, el('header', {}, el('h2', {}, t('Cards in banks')), page ? el('a', { href: `${page('remote-sim')}#tab=maps` }, t('Slot maps')) : null),
			el('p.remsim-help', {}, this.options.readonly ? t('The slots of all banks, and who has them.') : t('Drag a card to a modem, or press “Give to …” on it. A bank does not tell whether a slot holds a card.')), this.board.root);
		this.noRemote = el('p.remsim-help', { hidden: true }, t('No remote SIM is set up.'), ' ', page ? el('a', { href: page('remote-sim') }, t('Set up remote SIM')) : null);
		this.noClient = el('p.remsim-note', { hidden: true }, t('No modem here has a remote SIM client, so a card of a bank cannot be given to one.'), ' ', page ? el('a', { href: `${page('remote-sim')}#tab=settings&add=remote_client` }, t('Add a client')) : null);
		this.rest = el('section.remsim-panel', { hidden: true, 'aria-label': t('In no modem now') });
		fill(this.body, this.refused, this.none, this.list, this.noClient, this.banks, this.rest, this.noRemote);
	}

	destroy() {
		this.data.destroy();
		super.destroy();
	}

	changed() {
		if (!this._asked) {
			this._asked = true;
			this.data.load();
			this._carried();
		}
		this._show();
	}

	heard(reading) {
		const modem = this.store.modems.get(reading.modem);
		if (modem && !document.hidden)
			this.pairs.get(modem.id)?.update(modem);
	}

	happened(event) {
		this.data.happened(event);
		if (event.kind === 'sim_state')
			this._carried();
	}

	tick() {
		this.data.tick();
		if (this._carriedAt && Date.now() / 1000 - this._carriedAt > USAGE_AGAIN_S && ['live', 'polling'].includes(this.store.link.mode))
			this._carried();
	}

	/** What each SIM has carried, and since when it is where it is. */
	async _carried() {
		const { request } = this.options, asked = this._carriedBy = {};
		this._carriedAt = Date.now() / 1000;
		const [report, tracks] = await Promise.all([request('usage/report').catch(() => null), request('timeline/batch', { query: { track: 'sim', range: RANGE } }).catch(() => null)]);
		if (asked !== this._carriedBy)
			return;
		if (report)
			this.usage = new Map(report.sims.map(sim => [sim.sim, sim]));
		if (tracks)
			this.since = new Map(tracks.timelines.map(one => [one.modem, one.changes]));
		this._show();
	}

	/** The second since which a modem has this SIM; negative: it had it already when what is known begins. */
	_since(modem, sim) {
		const changes = this.since.get(modem) || [];
		let found = null;
		for (let at = changes.length - 1; at >= 0 && [null, sim].includes(changes[at][1]); at -= 1) {
			if (changes[at][1] === sim) // between there may be times when the router was off
				found = at ? changes[at][0] : -changes[at][0];
		}
		return found;
	}

	_show() {
		const { t } = this.options, { data, store } = this, modems = store.list();
		if (!store.loaded)
			return;
		this.none.hidden = modems.length > 0;
		const kept = new Map();
		modems.forEach((modem, at) => {
			const pair = this.pairs.get(modem.id) || new Pair(this.context, modem);
			kept.set(modem.id, pair);
			pair.update(modem);
			if (this.list.children[at] !== pair.root)
				this.list.insertBefore(pair.root, this.list.children[at] || null);
		});
		for (const [id, pair] of this.pairs) {
			if (!kept.has(id))
				pair.root.remove();
		}
		this.pairs = kept;
		const served = modems.filter(modem => modem.state === 'online').map(modem => { const client = data.clientOf(modem.id); return client ? serves(client) : false; });
		const local = served.filter(isRemote => isRemote === false).length, remote = served.filter(isRemote => isRemote).length;
		setText(this.summary, data.ours.length ? t('%s online by a local SIM, %s by a remote one', local, remote) : t('%s online by a local SIM', local));
		const hasRemote = data.isSetUp;
		this.banks.hidden = !hasRemote;
		this.noRemote.hidden = hasRemote || !data.view;
		this.noClient.hidden = !hasRemote || data.ours.some(client => store.modems.has(client.modem));
		if (hasRemote)
			this.board.update();
		if (data.error)
			this.context.failed(errorText(data.error));
		this._rest(modems);
	}

	/** SIMs that carried something in this cycle and are in no modem now. */
	_rest(modems) {
		const { t } = this.options, here = new Set(modems.map(modem => modem.reading?.sim || modem.sim)), rest = [...this.usage.values()].filter(sim => !here.has(sim.sim) && sim.sim !== UNKNOWN && sim.used_bytes > 0);
		const told = JSON.stringify(rest.map(shownOf));
		this.rest.hidden = !rest.length;
		if (told === this._restTold)
			return;
		this._restTold = told;
		fill(this.rest, el('h2', {}, t('In no modem now')), el('p.remsim-help', {}, t('SIMs that carried something in this billing cycle.')),
			el('div.remsim-simcards', {}, rest.map(sim => el('section.remsim-simcard', { 'aria-label': sim.name || sim.sim }, el('header', {}, el('h3', {}, cardName(sim.sim, null, sim, t))), usageOf(sim, t)))));
	}
}
