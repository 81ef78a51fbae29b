// A link's key stands behind the # of its address, which no server is told. This puts it into the form.
const field = document.querySelector("input[name=link]");
if (field && location.hash.length > 1) {
  field.value = decodeURIComponent(location.hash.slice(1));
  field.parentElement.hidden = true;
  history.replaceState(null, "", location.pathname);
}
