/** Chart.js, loaded once from beside these modules; its UMD file sets a global. */

let library = null;

/** The library, when a page needs it first. */
export function loadChartJs() {
	library ||= window.Chart ? Promise.resolve(window.Chart) : new Promise((resolve, reject) => {
		const script = document.createElement('script');
		script.src = new URL('../vendor/chart.umd.js', import.meta.url);
		script.onload = () => resolve(window.Chart);
		script.onerror = () => { library = null; reject(new Error('Chart.js did not load')); };
		document.head.appendChild(script);
	});
	return library;
}
