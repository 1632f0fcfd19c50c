/** The eSIM page: the card in each modem with its profiles, adding one, kept codes, and what works on many; which of them stands in the address. */

import { el, fill, setText } from './dom.js';
import { AddTab } from './esim-add.js';
import { HolderCard } from './esim-card.js';
import { CodesTab } from './esim-codes.js';
import { EsimData } from './esim-data.js';
import { sentence } from './esim-words.js';
import { TabbedFrame } from './tabs.js';
import { msg } from './words.js';

const TABS = [['cards', msg('Cards')], ['codes', msg('Codes')], ['rules', msg('Rules')], ['bulk', msg('Many at once')], ['orders', msg('Orders')], ['backup', msg('Backup')]];
/** Tabs whose modules are loaded when they are opened first: `module` exports its class under `name`. */
const LATER = {
	rules: () => import('./esim-rules.js').then(({ RulesTab }) => RulesTab), bulk: () => import('./esim-bulk.js').then(({ BulkTab }) => BulkTab), orders: () => import('./esim-orders.js').then(({ OrdersTab }) => OrdersTab),
	 backup: () => import('./esim-backup.js').then(({ BackupTab }) => BackupTab)
};

/** What went well and needs no more than a word. */
const DONE_WORDS = { 'esim-read': msg('The card is read.'), 'esim-nickname': msg('The profile has its name.'), 'esim-default-smdp': msg('The default server is set.'), 'esim-iot': msg('The card was asked.') };

/** Mount the eSIM page into `node`; `options` as for dashboard.js. Returns {destroy, pause, resume, isWaiting}. */
export async function mount(node, options) {
	const page = new EsimPage(node, options);
	await page.start();
	return page;
}

class EsimPage extends TabbedFrame {
	constructor(node, options) {
		super(node, options, 'remsim-esimpage', { label: msg('eSIM'), tabs: TABS, later: LATER, belongs: { add: 'cards' } });
		const { t, links } = this.options;
		this.data = new EsimData(this.options, this.store, this.keeper, () => this.shown());
		this.context = { ...this.contextOf(this.data), keeper: this.keeper, said: text => this.said(text), show: () => this.shown(), toJob: id => this._toJob(id) };
		this.cards = new Map();
		this.list = el('div.remsim-stack');
		this.none = el('div.remsim-nothing', { hidden: true }, el('p', {}, el('strong', {}, t('No modem or card reader is there, so there is no eSIM to show.'))), links.page ? el('a.remsim-button', { href: links.page('modems') }, t('Modems')) : null);
		this.tabsOpen = { cards: { root: el('div.remsim-stack', {}, this.none, this.list) }, codes: new CodesTab(this.context), add: new AddTab(this.context) };
		fill(this.body, this.nav, this.trouble, this.warnings, this.panel);
		this.begin();
	}

	destroy() {
		this.data.destroy();
		super.destroy();
	}

	changed() {
		if (!this._asked) {
			this._asked = true;
			this.data.load();
		} else
			this.shown();
	}

	happened(event) {
		this.data.happened(event);
		this.tabsOpen[this.tab]?.happened?.(event);
	}

	heard(reading) {
		const modem = this.store.modems.get(reading.modem);
		if (modem && this.tab === 'cards' && !document.hidden)
			this.cards.get(modem.id)?.chip.update(modem);
	}

	worked(job) {
		this.data.worked(job);
		if (job.state === 'done' && DONE_WORDS[job.kind] && this.keeper.isOwn(job) && this._doneTold !== job.id) {
			this._doneTold = job.id;
			this.context.said(this.options.t(DONE_WORDS[job.kind]));
		}
		this.tabsOpen[this.tab]?.worked?.(job);
		if (this.tab === 'cards' && this.cards.has(job.modem))
			this.cards.get(job.modem).update(this.data.holder(job.modem) || this.cards.get(job.modem).holder);
		if (job.ended_at)
			this.cards.get(job.modem)?.worked(job);
	}

	tick() {
		this.data.tick();
		if (this.tab === 'cards')
			this.cards.forEach(card => card.tick());
		this.tabsOpen[this.tab]?.tick?.();
	}

	left() {
		this.said('');
	}

	/** To what is being done to a card. */
	_toJob(holderId) {
		if (this.tab !== 'cards') {
			this.context.go('cards');
			this.route();
		}
		this.shown();
		this.cards.get(holderId)?.job.focus();
	}

	shown() {
		const { t } = this.options, { data } = this, { view, error } = data;
		this.trouble.hidden = !error;
		if (error)
			fill(this.trouble, sentence(error.message), ' ', sentence(error.hint), ' ', el('button', { type: 'button', click: () => data.load() }, t('Try again')));
		if (!view || !this.store.loaded)
			return;
		const all = data.holders.flatMap(holder => holder.profiles);
		setText(this.summary, all.length === 1 ? t('1 profile') : all.length ? t('%s profiles', all.length) : '');
		this.warn(view.warnings || [], sentence);
		if (this.tab === 'cards')
			this._cards();
		else
			this.tabsOpen[this.tab]?.update?.();
	}

	_cards() {
		const kept = new Map(), { holders } = this.data;
		this.none.hidden = holders.length > 0;
		holders.forEach((holder, at) => {
			const card = this.cards.get(holder.id) || new HolderCard(this.context, holder);
			kept.set(holder.id, card);
			card.update(holder);
			if (this.list.children[at] !== card.root)
				this.list.insertBefore(card.root, this.list.children[at] || null);
		});
		for (const [id, card] of this.cards) {
			if (!kept.has(id))
				card.root.remove();
		}
		this.cards = kept;
	}
}
