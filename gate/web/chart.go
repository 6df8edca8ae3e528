package web

import (
	"fmt"
	"strconv"
	"strings"

	"defectdojo/gate/store"
)

// sparkline is a small area chart: the outline of its line and of its area in a
// box of sparkWidth by sparkHeight.
type sparkline struct {
	Line, Area string
	Text       string // the same in words
}

const (
	sparkWidth  = 120
	sparkHeight = 24
)

func newSparkline(values []int) sparkline {
	if len(values) < 2 {
		return sparkline{}
	}
	top := 1
	for _, v := range values {
		top = max(top, v)
	}
	points := make([]string, len(values))
	words := make([]string, len(values))
	for i, v := range values {
		x := float64(i) * sparkWidth / float64(len(values)-1)
		y := 1 + (sparkHeight-2)*(1-float64(v)/float64(top))
		points[i] = fmt.Sprintf("%.1f,%.1f", x, y)
		words[i] = num(v)
	}
	line := strings.Join(points, " ")
	return sparkline{
		Line: line,
		Area: fmt.Sprintf("0,%d %s %d,%d", sparkHeight, line, sparkWidth, sparkHeight),
		Text: "Open at the end of each week: " + strings.Join(words, ", "),
	}
}

// flowChart shows what came and what went each week: bars up and bars down.
type flowChart struct {
	Width, Height int
	Zero          int // the line between them
	LabelY        int
	Bars          []flowBar
	Weeks         []store.Week // the table behind it, newest first
}

type flowBar struct {
	X, Middle, Width   int
	UpY, Up, DownY     int
	Down               int
	UpTextY, DownTextY int
	Opened, Closed     int
	OpenedText         string
	ClosedText         string
	Label              string // the week's Monday, on every other bar
	Title              string
}

const (
	flowStep   = 44
	flowBars   = 112 // height of all bars
	flowMargin = 19  // for a number above and below them
	flowLabels = 18
)

func newFlowChart(weeks []store.Week) flowChart {
	up, down := 0, 0
	for _, w := range weeks {
		up, down = max(up, w.Opened.Total()), max(down, w.Closed.Total())
	}
	scale := float64(flowBars) / float64(max(1, up+down))
	c := flowChart{Width: flowStep * len(weeks), Zero: flowMargin + int(float64(up)*scale), Height: flowBars + 2*flowMargin + flowLabels}
	c.LabelY = c.Height - 4
	for i, w := range weeks {
		opened, closed := w.Opened.Total(), w.Closed.Total()
		b := flowBar{
			X: i*flowStep + 8, Middle: i*flowStep + flowStep/2, Width: flowStep - 16,
			Up: height(opened, scale), Down: height(closed, scale),
			Opened: opened, Closed: closed, OpenedText: compact(opened), ClosedText: compact(closed),
			Title: fmt.Sprintf("Week of %s: %s opened, %s closed, %s open at its end", day(w.Monday), num(opened), num(closed), num(w.Open.Total())),
		}
		b.UpY, b.DownY = c.Zero-b.Up, c.Zero+1
		b.UpTextY, b.DownTextY = b.UpY-4, b.DownY+b.Down+12
		if (len(weeks)-1-i)%2 == 0 {
			b.Label = w.Monday.Format("2 Jan")
		}
		c.Bars = append(c.Bars, b)
		c.Weeks = append([]store.Week{w}, c.Weeks...)
	}
	return c
}

// height is at least one for what is not nothing.
func height(n int, scale float64) int {
	if n == 0 {
		return 0
	}
	return max(1, int(float64(n)*scale))
}

// compact writes 12,345 as 12k.
func compact(n int) string {
	switch {
	case n == 0:
		return ""
	case n < 1000:
		return strconv.Itoa(n)
	case n < 10_000:
		return strings.Replace(fmt.Sprintf("%.1fk", float64(n)/1000), ".0k", "k", 1)
	case n < 1_000_000:
		return strconv.Itoa(n/1000) + "k"
	default:
		return fmt.Sprintf("%.1fM", float64(n)/1_000_000)
	}
}
