/** The debug page: a frame that its script fills with what it asks the server for. */
export const pageHtml = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>Farcall</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="/debug/farcall/page.css">
</head>
<body>
<header>
  <h1>Farcall</h1>
  <span id="state" class="pill">connecting</span>
  <dl id="facts"></dl>
</header>
<p id="trouble" role="status" hidden></p>
<form id="ask" hidden>
  <label>Token <input id="token" type="password" autocomplete="off" spellcheck="false"></label>
  <button>Show</button>
</form>
<main hidden>
  <section id="tiles" aria-label="Now"></section>
  <div id="around">
    <section class="card" id="protocols"><div class="title"><h2>Protocols</h2><span class="note"></span></div>
      <table class="small"><thead><tr><th>Protocol</th><th>Connections</th><th>Calls</th><th>Per second</th></tr></thead><tbody></tbody></table></section>
    <section class="card" id="registries" hidden><div class="title"><h2>Registries</h2><span class="note"></span></div>
      <table class="small"><tbody></tbody></table></section>
  </div>
  <section id="services" aria-label="Services"></section>
  <section id="more"></section>
</main>
<noscript><p>This page needs JavaScript; the same as JSON is at <a href="?format=json">?format=json</a>.</p></noscript>
<footer><a href="?format=json">JSON</a> <a href="/metrics">metrics</a> <a href="/healthz">healthz</a> <a href="/readyz">readyz</a><span id="updated"></span></footer>
<script src="/debug/farcall/page.js"></script>
</body>
</html>
`
