package migrations

// UpFiles is Up with other files than ours.
var UpFiles = up
